"""A name or a number is recognised however it is written."""

import pytest

from settlement.contract.tables import TABLES
from settlement.intake.identities import without_identity

HIDDEN = ("张 三", "张　三", "张\u200b三", "ئابلىز", "張-三", "110101 19900307 8515", "110101-19900307-8515")
HIDDEN += ("１１０１０１１９９００３０７８５１５", "1３８ 0013 8000", "张三 ≠ 110101199003078515", "Алиев")
PLAIN = ("x", "1,234.00", "2026/03/02", "I10,x00", "330100S0000000000001")


def said(value: str) -> tuple[str, str]:
    """What is shown of a value in a coded column, and in the key."""
    reason = {"code": "R_DICT", "field": "gend", "value": value, "rule": None, "child": None, "note": None}
    key, [kept] = without_identity(TABLES["settlement"], value, [reason], ["53000000000000000017"])
    return kept["value"], key


@pytest.mark.parametrize("value", HIDDEN)
def test_a_name_or_number_is_masked_however_it_is_written(value: str) -> None:
    assert all("masked" in text for text in said(value)), said(value)


@pytest.mark.parametrize("value", PLAIN)
def test_what_is_none_stays_readable(value: str) -> None:
    assert said(value)[0] == value


def test_a_sum_is_known_by_its_rule_and_not_by_its_sign() -> None:
    value = "1234567890123456.00 ≠ 50.00 + 49.99"
    reason = {"code": "L_ITEM_SUM", "field": "setl_id", "value": value, "rule": "L_ITEM_SUM:setl_id"}
    reason |= {"child": None, "note": None}
    assert without_identity(TABLES["settlement_list"], "S1", [reason], [])[1][0]["value"] == value
    assert "masked" in said("110101199003078515 ≠ 1.00")[0]
