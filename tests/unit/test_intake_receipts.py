"""rejected.csv: one line a row, nothing a spreadsheet would run."""

import codecs
import csv
import io

import pytest

from settlement.intake.receipts import rejected_csv


def lines(*values: str) -> list[list[str]]:
    rows = [
        ("a.csv", 2, "S1", ["R_CODE"], [{"code": "R_CODE", "field": "clr_way", "value": value}]) for value in values
    ]
    return list(csv.reader(io.StringIO(rejected_csv(rows).decode("utf-8-sig"))))


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
    assert lines(value)[1][-1] == "'" + value


@pytest.mark.parametrize("value", ["-12.30", "+5", "12", "1,234.00", "甲,\n乙", "a'b"])
def test_other_values_stay_as_they_were_sent(value: str) -> None:
    assert lines(value)[1][-1] == value


def test_a_row_shows_all_its_reasons_on_one_line() -> None:
    details = [
        {"code": "R_MISSING", "field": "gend", "value": None},
        {"code": "R_SCALE", "field": "hifp_pay", "value": "1.234"},
    ]
    text = rejected_csv([("a.csv", 7, "S1", ["R_MISSING", "R_SCALE"], details)]).decode("utf-8-sig")
    assert text.splitlines() == [
        "file,line_no,record_key,reason_codes,field,value",
        "a.csv,7,S1,R_MISSING|R_SCALE,gend|hifp_pay,|1.234",
    ]


def test_a_byte_order_mark_tells_excel_that_it_is_utf8() -> None:
    assert rejected_csv([]).startswith(codecs.BOM_UTF8 + b"file,")
