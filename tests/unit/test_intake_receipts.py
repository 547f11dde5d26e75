"""rejected.csv: one line a row, nothing a spreadsheet would run."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from settlement.gate import load_suite, suite_names, text_of
from settlement.intake.receipts import rejected_csv


def lines(*values: str) -> list[list[str]]:
    rows = [
        ("a.csv", 2, "S1", "settlement", [{"code": "R_CODE", "field": "clr_way", "value": value}]) for value in values
    ]
    return list(csv.reader(io.StringIO(whole(rows).decode("utf-8-sig"))))


def whole(rows: list[tuple[str, int, str, str, list[dict[str, Any]]]]) -> bytes:
    return b"".join(rejected_csv(rows))


@pytest.mark.parametrize(
    "value",
    [
        '=HYPERLINK("http://x")',
        "+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "-1+1",
        "\tx",
        "\rx",
        "\uff1d1+1",  # full-width
        "\uff20SUM(A1)",
    ],
)
def test_a_formula_is_made_inert(value: str) -> None:
    assert lines(value)[1][5] == "'" + value.replace("|", "¦")


@pytest.mark.parametrize("value", ["-12.30", "+5", "12", "1,234.00", "甲,\n乙", "a'b"])
def test_other_values_stay_as_they_were_sent(value: str) -> None:
    assert lines(value)[1][5] == value


def test_a_row_shows_code_field_value_child_and_text_of_every_reason_in_one_order() -> None:
    details = [
        {
            "code": "R_MISSING",
            "field": "diag_code",
            "value": None,
            "rule": "R_MISSING:diag_code",
            "child": "diseinfo 2",
        },
        {"code": "R_TYPE", "field": "age", "value": "1|2", "rule": "R_TYPE:age", "child": None},
        {"code": "R_DUPLICATE", "field": "amt", "value": "1.00", "rule": None, "child": "iteminfo 09"},
        {"code": "R_REFUND", "field": "x", "value": "y", "note": "剩余 left 1.00"},
    ]
    header, line = csv.reader(io.StringIO(whole([("a.csv", 7, "S1", "settlement_list", details)]).decode("utf-8-sig")))
    found = dict(zip(header, line, strict=True))
    assert found["reason_codes"] == "R_MISSING|R_TYPE|R_DUPLICATE|R_REFUND"
    assert found["field"] == "diag_code|age|amt|x"
    assert found["value"] == "|1¦2|1.00|y"
    assert found["child"] == "diseinfo 2||iteminfo 09|"
    missing, _, duplicate, refund = found["reason"].split("|")
    assert "diag_code" in missing
    assert "the key stands twice in the batch" in duplicate
    assert "主键" in duplicate
    assert refund.endswith("(剩余 left 1.00)")


def test_no_more_rows_are_read_than_a_piece_holds() -> None:
    read = 0

    def rows() -> Iterator[tuple[str, int, str, str, list[dict[str, Any]]]]:
        nonlocal read
        for read in range(1, 5_001):
            yield "a.csv", read, "S1", "settlement", [{"code": "R_FORM", "field": None, "value": "x"}]

    pieces = rejected_csv(rows())
    next(pieces)
    next(pieces)
    assert read == 1_000
    assert sum(piece.count(b"\r\n") for piece in pieces) == 4_000


def test_every_rule_of_every_table_has_its_text_in_both_languages() -> None:
    for table in suite_names():
        for rule in load_suite(table).rules:
            said = text_of(table, {"code": rule.code, "rule": rule.rule_id})
            assert said == f"{rule.text_zh} / {rule.text_en}"
            assert rule.text_zh
            assert not rule.text_en.startswith("R_")


def test_a_byte_order_mark_tells_excel_that_it_is_utf8() -> None:
    assert whole([]).startswith(codecs.BOM_UTF8 + b"file,")
