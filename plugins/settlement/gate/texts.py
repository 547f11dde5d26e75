"""What a reason says to people, in Chinese and English: the text of its rule, and what only its row can tell."""

from collections.abc import Mapping
from typing import Any

from settlement.contract.tables import SECTIONS
from settlement.gate.suites import load_suite

WITHOUT_RULE = {
    "R_FORM": "该行无法拆分 / the row cannot be taken apart",
    "R_DUPLICATE": "该主键在批次内重复，保留首行 / the key stands twice in the batch, of which the first row stays",
    "R_CONFLICT": "该主键已入库且内容不同 / the key is already accepted with other content",
    "R_REFUND": "退费与原结算不符 / the refund does not fit its original",
}
"""Reasons that no rule of a suite gives."""


def text_of(table: str, detail: Mapping[str, Any]) -> str:
    """The text of a reason as it is kept in quarantine: code, rule, child and note; one that is unknown is its code."""
    section = (detail.get("child") or "").split(" ")[0]
    rules = {rule.rule_id: rule for rule in load_suite(SECTIONS.get(section, table)).rules}
    rule = rules.get(detail.get("rule") or "")
    text = f"{rule.text_zh} / {rule.text_en}" if rule else WITHOUT_RULE.get(detail["code"], detail["code"])
    return f"{text} ({detail['note']})" if detail.get("note") else text
