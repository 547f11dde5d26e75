"""The manifest: what is understood, and what each mistake is called."""

import json
from typing import Any

import pytest

from settlement.contract import parse_manifest
from settlement.contract.limits import Limits
from settlement.errors import SettlementError

LIMITS = Limits()


def manifest(**changes: Any) -> dict[str, Any]:
    file = {
        "name": "settlement.csv.gz",
        "table": "settlement",
        "format": "csv",
        "encoding": "utf-8",
        "rows": 3,
        "sha256": "AB" * 32,
        "control": {"medfee_sumamt": "10.50", "fund_pay_sumamt": 7.10},
    }
    return {
        "batch_id": "330100-20260302-0001",
        "kind": "settlement",
        "area_code": "330100",
        "business_date": "2026-03-02",
        "created_at": "2026-03-02T23:10:05+08:00",
        "sender": "330000",
        "files": [file],
    } | changes


def file_with(**changes: Any) -> dict[str, Any]:
    return manifest(files=[manifest()["files"][0] | changes])


def parse(content: dict[str, Any] | bytes, batch_id: str = "330100-20260302-0001") -> Any:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse_manifest(data, batch_id, LIMITS)


def test_a_manifest_is_read_with_its_control_sums_as_they_were_written() -> None:
    found = parse(json.dumps(manifest()).replace("7.1}", "7.10}").encode())
    assert (found.kind, found.area_code, str(found.business_date)) == ("settlement", "330100", "2026-03-02")
    assert found.files[0].control == {"medfee_sumamt": "10.50", "fund_pay_sumamt": "7.10"}
    assert found.files[0].compression == "gz"
    assert found.files[0].sha256 == "ab" * 32


def test_a_byte_order_mark_and_unknown_fields_are_ignored() -> None:
    assert parse(b"\xef\xbb\xbf" + json.dumps(manifest(remark="x")).encode()).batch_id == "330100-20260302-0001"


def test_a_time_without_an_offset_is_of_shanghai() -> None:
    assert parse(manifest(created_at="2026-03-02T23:10:05")).created_at.isoformat() == "2026-03-02T23:10:05+08:00"


def test_who_sent_it_and_when_is_not_part_of_the_content() -> None:
    first, second = parse(manifest()), parse(manifest(created_at="2026-03-03T00:00:00+08:00", sender="x"))
    assert first.content_sha256 == second.content_sha256
    assert first.content_sha256 != parse(file_with(rows=4)).content_sha256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (manifest(batch_id="other"), "the folder is"),
        (manifest(kind="payment"), "kind is 'payment'"),
        (manifest(area_code="33010"), "six digits"),
        (manifest(area_code="3301０0"), "six digits"),
        (manifest(area_code="330100'; drop table raw.settlement; --"), "six digits"),
        (manifest(business_date=None), "business_date"),
        (manifest(business_date="20260302"), "not a date"),
        (manifest(business_date="2026-02-30"), "not a date"),
        (manifest(business_date="9999-12-31"), "not a date"),
        (manifest(created_at="yesterday"), "created_at"),
        (manifest(created_at="0001-01-01T00:00:00+08:00"), "created_at"),
        (manifest(created_at="9999-12-31T23:59:59-08:00"), "created_at"),
        (manifest(sender="\ud800"), "control characters"),
        (file_with(control={"medfee_sumamt": "\ud800"}), "control sum of medfee_sumamt"),
        (file_with(control={"medfee_sumamt": "\0"}), "control sum of medfee_sumamt"),
        (manifest(files=[]), "files"),
        (manifest(files={}), "files"),
        (manifest(files=["settlement.csv"]), "files[1] is not an object"),
        (manifest(sender="a\nb"), "control characters"),
        (file_with(table="area"), "table is 'area'"),
        (file_with(format="xlsx"), "format is 'xlsx'"),
        (file_with(format="camt054"), "format is 'camt054'"),
        (file_with(format="json4101"), "format is 'json4101'"),
        (file_with(rows=-1), "rows"),
        (file_with(rows=True), "rows"),
        (file_with(rows="3"), "rows"),
        (file_with(control={"psn_name": "1"}), "no number column"),
        (manifest(files=[manifest()["files"][0]] * 2), "listed twice"),
    ],
)
def test_a_malformed_field_is_named(content: dict[str, Any], words: str) -> None:
    with pytest.raises(SettlementError) as refusal:
        parse(content)
    assert refusal.value.code == "manifest_invalid"
    assert words in refusal.value.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (file_with(rows="2"), "rows is the text '2', not a number of rows; allowed is a whole number without quotes"),
        (file_with(rows=2.5), "rows is the number 2.5"),
        (file_with(rows=None), "rows is missing"),
        (file_with(sha256=None), "sha256 is missing"),
        (file_with(sha256=""), "sha256 is missing"),
        (file_with(format="CSV"), "format is 'CSV'; known are csv, tsv"),
        (file_with(control=["1"]), "control is a list, not an object"),
        (file_with(control={"medfee_sumamt": None}), "the control sum of medfee_sumamt is null"),
        (file_with(control={"MEDFEE_SUMAMT": "1"}), "control names 'MEDFEE_SUMAMT'"),
        (manifest(area_code=330100), "area_code is not a text, it is the number 330100; write it in quotes"),
        (manifest(sender=330000), "sender is not a text, it is the number 330000"),
        (manifest(kind="Settlement"), "kind is 'Settlement'; known are settlement"),
        (manifest(business_date="2026/03/02"), "business_date '2026/03/02' is not a date YYYY-MM-DD"),
        (manifest(business_date="2026-03-02T00:00:00"), "business_date '2026-03-02T00:00:00'"),
        (manifest(created_at="2026/03/02 23:10:05"), "not a time like 2026-03-02T23:10:05+08:00"),
        (manifest(created_at="1772464205"), "created_at '1772464205'"),
        (
            manifest(area_code="330100\u00a0"),
            "area_code is longer than 1000 characters, or has invisible or control characters: '330100⟨U+00A0⟩'",
        ),
        (manifest(kind="settle\u200bment"), "settle⟨U+200B⟩ment"),
        (
            {("batchId" if k == "batch_id" else k): v for k, v in manifest().items()},
            "there is 'batchId', but names are",
        ),
        ({k.upper(): v for k, v in manifest().items()}, "there is 'BATCH_ID'"),
        (manifest(business_date="2026-03-04"), "business_date 2026-03-04 is not between"),
        (manifest(business_date="2016-02-01"), "business_date 2016-02-01 is not between"),
    ],
)
def test_what_other_systems_write_is_told_with_field_value_and_what_is_allowed(content: Any, words: str) -> None:
    with pytest.raises(SettlementError) as refusal:
        parse(content)
    assert refusal.value.code == "manifest_invalid"
    assert words in refusal.value.message
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.value.message)
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.value.hint)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps(manifest(sender="浙江"), ensure_ascii=False).encode("gb18030"), "it reads as GB18030"),
        (json.dumps(manifest()).encode("utf-16"), "it is UTF-16"),
        (
            json.dumps(manifest()).replace('"files": [', '"files": [ ')[:-1].encode() + b",}",
            "comma with nothing behind",
        ),
        (b"{\n \"batch_id\": 'x'}", "line 2 column 14"),
        (b'{"batch_id": "a", "batch_id": "b"}', "the field 'batch_id' is given twice"),
    ],
)
def test_what_is_no_json_in_utf8_is_told_by_what_it_is_and_where(content: bytes, words: str) -> None:
    with pytest.raises(SettlementError) as refusal:
        parse(content)
    assert refusal.value.code == "manifest_unreadable"
    assert words in refusal.value.message


def test_a_time_as_other_systems_write_it_is_understood_where_it_is_unambiguous() -> None:
    forms = ["2026-03-02 23:10:05", "2026-03-02T15:10:05Z", "2026-03-02T23:10:05+0800", "2026-03-02T23:10:05.000+08:00"]
    assert {parse(manifest(created_at=form)).created_at.timestamp() for form in forms} == {1772464205.0}


def test_more_rows_than_the_limit_are_refused_before_a_file_is_opened() -> None:
    with pytest.raises(SettlementError) as refusal:
        parse(file_with(rows=LIMITS.file_rows + 1))
    assert refusal.value.code == "too_many_rows"


@pytest.mark.parametrize(
    "name", ["../settlement.csv", "a/b.csv", "a\\b.csv", "..", "/etc/passwd", "manifest.json", "册" * 86]
)
def test_a_file_name_is_never_a_path(name: str) -> None:
    with pytest.raises(SettlementError) as refusal:
        parse(file_with(name=name))
    assert refusal.value.code == "file_name_unsafe"


def test_an_unknown_encoding_has_a_code_of_its_own() -> None:
    with pytest.raises(SettlementError) as refusal:
        parse(file_with(encoding="utf-16"))
    assert refusal.value.code == "encoding_unknown"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe{}", b'{"batch_id": 1, "batch_id": 2}', b"[" * 100_000, b"[1e9999999999999999999]"]
)
def test_what_is_not_json_is_unreadable(content: bytes) -> None:
    with pytest.raises(SettlementError) as refusal:
        parse(content)
    assert refusal.value.code == "manifest_unreadable"


def test_more_files_than_the_limit_are_refused() -> None:
    files = [manifest()["files"][0] | {"name": f"{number}.csv"} for number in range(65)]
    with pytest.raises(SettlementError) as refusal:
        parse(manifest(files=files))
    assert refusal.value.code == "too_many_files"


def test_a_limit_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_LIMIT_FILES", "1")
    assert Limits.from_environment().files == 1
    monkeypatch.setenv("SETTLEMENT_LIMIT_FILES", "many")
    with pytest.raises(SettlementError, match="SETTLEMENT_LIMIT_FILES"):
        Limits.from_environment()
