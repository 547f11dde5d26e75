"""Write `expectations/rules.md`, the rules for people: ``python -m settlement.gate.rules_page``."""

from collections.abc import Iterable, Iterator
from typing import Any

from settlement.gate.suites import (
    COMMON,
    IN_SET,
    MATCH_REGEX,
    NOT_NULL,
    PARTIES,
    QUERY_HEAD,
    SEVERITIES,
    UNEXPECTED_ROWS,
    folder,
    read_file,
    suite_names,
)

HEAD = """# 质控规则 Rules of the gate

Generated from the suites in this folder by `python -m settlement.gate.rules_page`; do not edit.
由本目录的规则文件生成，请勿手工修改。

A row that breaks a **reject** rule is quarantined with all its reasons; for a **warn** rule it is accepted and counted.
A value that fails R_MISSING, R_TYPE, R_SCALE, R_CODE or R_DICT counts as unknown: no other rule is judged on it.
违反 **reject** 规则的行进入隔离区并列出全部原因；**warn** 规则只提示。
未通过前述五类检查的值视为未知，不再参与其他规则。

A row that cannot be taken apart has one reason, `R_FORM`, and is judged by no rule: it has more or fewer fields than
the header, its line is no JSON object, an object gives a name twice, or a 4101 document has another shape. It has
neither key nor field; its line is named, and the value says what is wrong, e.g. `fields expected 45, found 44`.
无法拆分的行只有一个原因 `R_FORM`，不再参与任何规则：字段数与表头不符、该行不是 JSON 对象、对象内名称重复，
或 4101 单据结构不符。该行没有主键和字段，以行号标识，值中说明问题所在。

*On arrival only* 仅在接收时判定: what the rule needs is gone once the row is accepted; a type or a key keeps it true.

`R_REFUND` is also given, when all settlements of the batch are judged, to a refund of another institution's or
person's settlement, under another insurance type, of a refund, or of more than is left of the original in one of its
funds; its note says which, with both amounts. Such refunds are decided
one after another, so it is no condition on a row: `plugins/settlement/intake/refunds.py` decides it.
`R_DUPLICATE` and `R_CONFLICT` hold for the key of every table, also where its suite does not repeat them. A list or a
row of its children that stands twice and says the same is `repeated` instead; a 4101 document is compared as a whole.
`R_FEE_SUM` is a warning: the fee lines of a settlement of the same batch do not add up to its `medfee_sumamt`, by more
than the area's `fee_sum_tolerance` (`plugins/settlement/intake/fee_sums.py`).
退费还须在全批判定后逐笔核对：原结算须为同一机构、同一人员、同一险种的正常结算，且各基金均不超过原结算剩余金额，
否则为 `R_REFUND`，并注明原因。
主键重复 `R_DUPLICATE` 与冲突 `R_CONFLICT` 对各表均适用；清单及其子表内容相同的重复行记为 `repeated`，
4101 单据整份比较。
`R_FEE_SUM` 为提示：同批费用明细合计与 `medfee_sumamt` 之差超过统筹区参数 `fee_sum_tolerance`。
"""

# Groups of columns that the table contract knows, for people.
GROUP_TITLES = {
    "required": "必填列 the required columns",
    "typed": "数字、日期、时间列 numbers, dates and times",
    "decimals": "金额、比例等小数列 money, ratios and other decimals",
    "numbers": "数字列 numbers",
    "sized": "文本与编码列 texts and codes",
    "ids": "编号列 ids",
    "flags": "标志列 flags",
    "ends": "valid_to",
    "owner": "统筹区，或所指机构、疑点、结算 the area, or the institution, finding or settlement named",
}

COLUMNS = ("code", "severity", "规则", "rule", "condition that breaks it 违反条件", "hurts 影响")


def rules_page() -> str:
    """The page as Markdown: the common rules, then one table of rules per suite, in the order of the contract."""
    sections = [_section(read_file(folder() / f"{name}.json")) for name in (COMMON, *suite_names()) if _has_file(name)]
    return "\n".join([HEAD, *sections])


def _has_file(name: str) -> bool:
    return (folder() / f"{name}.json").exists()


def _section(suite: dict[str, Any]) -> str:
    meta = suite["meta"]
    lines = [f"## {meta['title_zh']} {meta['title_en']} (`{suite['name']}`)", "", _row(COLUMNS)]
    lines.append(_row(["---"] * len(COLUMNS)))
    lines += [_row(cells) for cells in map(_cells, suite["expectations"])]
    return "\n".join(lines) + "\n"


def _cells(entry: dict[str, Any]) -> Iterator[str]:
    """One line of the table from one entry of a suite."""
    meta, kwargs = entry["meta"], entry["kwargs"]
    column = _columns(kwargs)
    is_group = isinstance(kwargs.get("columns"), str) and kwargs["columns"] != "ends"
    yield f"`{meta['code']}`"
    yield SEVERITIES[entry["severity"]]
    yield meta["text_zh"].replace("{column}", "该列" if is_group else column)
    yield meta["text_en"].replace("{column}", "the column" if is_group else column)
    arrival = "<br>*on arrival only* 仅在接收时" if meta.get("stage") == "arrival" else ""
    yield _condition(entry, column) + arrival
    yield ", ".join(PARTIES[party] for party in meta["hurts"])


def _columns(kwargs: dict[str, Any]) -> str:
    """The columns of an entry as people read them: one, a list, or a group of the contract."""
    columns = kwargs.get("columns", kwargs.get("column", ""))
    return GROUP_TITLES.get(columns, columns) if isinstance(columns, str) else ", ".join(columns)


def _condition(entry: dict[str, Any], column: str) -> str:
    kwargs = entry["kwargs"]
    if entry["type"] == UNEXPECTED_ROWS:
        is_list = "columns" in kwargs and column != "valid_to"
        shown, among = ("{column}", f" ({column})") if is_list else (column, "")
        return f"`{kwargs['unexpected_rows_query'].removeprefix(QUERY_HEAD).replace('{column}', shown)}`{among}"
    if entry["type"] == NOT_NULL:
        return f"{column}: empty"
    if entry["type"] == IN_SET:
        return f"{column}: none of {', '.join(kwargs['value_set'])}"
    if entry["type"] == MATCH_REGEX:
        return f"{column}: not `{kwargs['regex']}`"
    return f"{column}: of another type"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    (folder() / "rules.md").write_text(rules_page(), encoding="utf-8")
