"""What nobody sees around a value is no part of it, in every format; inside a code or an id it is a fault."""

import csv
import json
from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import settlement
from tests.fixtures.formats import ROW_FORMATS, as_file, write_files
from tests.fixtures.one_hospital import DAY, HOSPITAL, register_hospital

from settlement.intake import Receipt, receive

PERSON = "33000000000000000001"
AROUND = {
    "tab": "\t",
    "line feed": "\n",
    "carriage return": "\r",
    "no-break space": "\u00a0",
    "ideographic space": "\u3000",
    "byte order mark": "\ufeff",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "narrow no-break space": "\u202f",
    "separator": "\x1f",
    "escape": "\x1b",
    "delete": "\x7f",
    "blank of old software": "\ue5e5",
    "all of them": "\ufeff \t\u00a0",
}


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    return register_hospital(warehouse)


def one(setl_id: str, **fields: Any) -> dict[str, Any]:
    return settlement(setl_id, HOSPITAL, DAY, "100.00") | fields


def deliver(city: Warehouse, format_: str, *rows: dict[str, Any], batch_id: str = "b1") -> Receipt:
    files = [("settlement", format_, as_file(rows, format_), len(rows))]
    return receive(write_files(city.inbox, batch_id, files, DAY))


def rejected(city: Warehouse, batch_id: str = "b1") -> list[dict[str, str]]:
    with (city.outbox / batch_id / "rejected.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def possible(format_: str, text: str) -> bool:
    """Whether a file of the format can hold the text inside a value."""
    return format_ != "tsv" or not set(text) & set("\t\n\r")


@pytest.mark.parametrize("format_", ROW_FORMATS)
def test_what_is_invisible_around_a_value_makes_no_second_settlement_or_person(format_: str, city: Warehouse) -> None:
    marks = [mark for mark in AROUND.values() if possible(format_, mark)]
    for number, mark in enumerate(marks):
        first, second, third = (f"S{number}-{place}" for place in (1, 2, 3))
        receipt = deliver(
            city,
            format_,
            one(first),
            one(second)
            | dict(setl_id=f"{second}{mark}", psn_no=f"{PERSON}{mark}", medfee_sumamt=f"100.00{mark}")
            | dict(begndate=f"{mark}{DAY}"),
            one(first) | dict(setl_id=f"{mark}{first}", psn_no=f"{mark}{PERSON}"),
            one(third)
            | dict(fixmedins_code=f"{HOSPITAL}{mark}", mdtrt_id=f"{mark}M3{mark}", dise_codg=f"I10.x00{mark}"),
            batch_id=f"b{number}",
        )
        assert (receipt.reasons, receipt.files[0]["accepted"]) == ({"R_DUPLICATE": 1}, 3), repr(mark)
        assert city.rows(
            "select setl_id, mdtrt_id, fixmedins_code, dise_codg from raw.settlement "
            "where accepted_batch_id = %s order by setl_id",
            f"b{number}",
        ) == [
            (first, f"M{first}", HOSPITAL, "I10.x00"),
            (second, f"M{second}", HOSPITAL, "I10.x00"),
            (third, "M3", HOSPITAL, "I10.x00"),
        ], repr(mark)
    assert city.rows("select count(distinct person_key) from raw.settlement") == [(1,)]


@pytest.mark.parametrize("format_", ROW_FORMATS)
def test_inside_an_id_or_a_code_it_is_refused_and_named(format_: str, city: Warehouse) -> None:
    marks = {"\u00a0": "⟨U+00A0⟩", "\u200b": "⟨U+200B⟩", "\x1f": "⟨U+001F⟩", "\t": "⟨TAB⟩", "\r": "⟨CR⟩"}
    for number, (mark, shown) in enumerate(marks.items()):
        if not possible(format_, mark):
            continue
        rows = [
            one("S1") | {"setl_id": f"S{mark}1"},
            one("S2", mdtrt_id=f"M{mark}2"),
            one("S3", fixmedins_code=f"H330{mark}10600123"),
            one("S4", psn_no=f"{PERSON[:6]}{mark}{PERSON[6:]}"),
            one(f"T{number}"),
        ]
        receipt = deliver(city, format_, *rows, batch_id=f"b{number}")
        assert receipt.reasons == {"R_CODE": 4}
        lines = rejected(city, f"b{number}")
        assert [line["record_key"] for line in lines] == [f"S{shown}1", "S2", "S3", "S4"]
        assert all(shown in line["value"] for line in lines)
        assert PERSON[6:] not in lines[3]["value"]


FORMS = [f"'{PERSON}", f'="{PERSON}"', f"={PERSON}", "3.3E+19", "3.3e+19", "3E+19", "3.3E19", "３３００００", "P\tX"]


@pytest.mark.parametrize("format_", ROW_FORMATS)
def test_the_form_a_spreadsheet_gives_to_an_id_is_no_id(format_: str, city: Warehouse) -> None:
    for number, form in enumerate(FORMS):
        if possible(format_, form):
            rows = [one("S1", psn_no=form), one("S2") | {"setl_id": form}, one(f"T{number}")]
            receipt = deliver(city, format_, *rows, batch_id=f"b{number}")
            assert (receipt.reasons, receipt.files[0]["accepted"]) == ({"R_CODE": 2}, 1), form
            assert PERSON not in (city.outbox / f"b{number}" / "rejected.csv").read_text()


def test_an_id_may_be_written_as_systems_write_ids(city: Warehouse) -> None:
    usual = ["520100G0000627311318", "520100E0000627311318", "a-1_2:3", "1.5", "S/1"]
    assert deliver(city, "csv", *(one(setl_id) for setl_id in usual)).reasons == {}
    assert {setl_id for (setl_id,) in city.rows("select setl_id from raw.settlement")} == set(usual)


@pytest.mark.parametrize("format_", ROW_FORMATS)
def test_a_blank_inside_an_id_of_the_platform_makes_no_second_settlement_or_person(
    format_: str, city: Warehouse
) -> None:
    rows = [
        one("J1"),
        one("J 1"),
        one("J  1"),
        one("S2", psn_no=f"{PERSON[:4]} {PERSON[4:]}"),
        one("S3", mdtrt_id="M 3"),
    ]
    receipt = deliver(city, format_, *rows, one("S4", invono="A 1"))
    assert (receipt.reasons, receipt.files[0]["accepted"]) == ({"R_CODE": 4}, 2)


def test_a_number_of_the_institution_may_hold_chinese_and_an_id_of_the_platform_may_not(city: Warehouse) -> None:
    assert deliver(city, "csv", one("S1", invono="票据1"), one("S票2")).reasons == {"R_CODE": 1}


def test_a_number_of_the_institution_holds_nothing_invisible_either(city: Warehouse) -> None:
    forms = ("票\u200b据1", "\x1f1\u00a02", '="0001"', "'0001", "1.2E+15", "１２")
    receipt = deliver(city, "csv", *(one(f"S{number}", invono=form) for number, form in enumerate(forms)))
    assert receipt.reasons == {"R_CODE": len(forms)}


def test_the_check_letter_of_an_identity_number_is_one_letter_in_both_cases(city: Warehouse) -> None:
    rows = [one("S1", psn_no="11010119900307100x"), one("S2", psn_no="11010119900307100X"), one("S3", psn_no="px")]
    assert deliver(city, "csv", *rows, one("S4", psn_no="PX")).reasons == {}
    assert city.rows("select count(distinct person_key) from raw.settlement") == [(3,)]


def test_names_of_columns_are_found_without_what_is_invisible_around_them(city: Warehouse) -> None:
    row = {f"\u00a0{name}\t": value for name, value in one("S1").items()}
    for number, format_ in enumerate(("csv", "jsonl", "parquet")):
        row["\u00a0setl_id\t"] = f"S{number}"
        receipt = deliver(city, format_, row, batch_id=f"b{number}")
        assert (receipt.files[0]["accepted"], [text for text in receipt.warnings if "column" in text]) == (1, [])


def test_an_account_number_with_something_invisible_inside_moves_no_money(city: Warehouse) -> None:
    account = {
        **dict(fixmedins_code=HOSPITAL, account_name="测试", account_no="6222\u200b0001", bank_code="102330000001"),
        "valid_from": "2025-01-01",
    }
    files = [("bank_account", "csv", as_file([account], "csv"), 1)]
    write_files(city.inbox, "ref-2", files, DAY, kind="reference")
    manifest = json.loads((city.inbox / "ref-2" / "manifest.json").read_text())
    del manifest["business_date"]
    (city.inbox / "ref-2" / "manifest.json").write_text(json.dumps(manifest))
    assert receive("ref-2").reasons == {"R_CODE": 1}
