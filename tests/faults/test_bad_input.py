"""Bad input, one fault a test: nothing is half loaded, and the receipt says what and where."""

import codecs
import csv
import gzip
import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, institution, settlement, write_batch

from settlement.intake import Receipt, receive

HOSPITAL = "H33010600123"
DAY = "2026-03-02"


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    """One hospital whose name has a comma and a quote; every row of a file may be bad."""
    register = institution(HOSPITAL, area_code="330100", name='测试"第一", 医院')
    write_batch(warehouse.inbox, "ref", "reference", {"area": [area(reject_limit="1.0")], "institution": [register]})
    assert receive("ref").status == "accepted"
    return warehouse


def one(setl_id: str, fund: str = "100.00", **fields: Any) -> dict[str, Any]:
    return settlement(setl_id, HOSPITAL, DAY, fund) | fields


def as_csv(rows: Sequence[Row], end: str = "\n", columns: Sequence[str] = ()) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(rows[0]), lineterminator=end, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def deliver(city: Warehouse, content: bytes | str, rows: int, batch_id: str = "b1", **entry: Any) -> Receipt:
    data = content.encode() if isinstance(content, str) else content
    folder = city.inbox / batch_id
    folder.mkdir()
    file = {"name": "a.csv", "table": "settlement", "format": "csv", "encoding": "utf-8", "rows": rows, "control": {}}
    file |= {"sha256": hashlib.sha256(data).hexdigest()} | entry
    (folder / str(file["name"]).replace("/", "_")).write_bytes(data)
    manifest = {
        "batch_id": batch_id,
        "kind": "settlement",
        "area_code": "330100",
        "business_date": DAY,
        "created_at": f"{DAY}T23:10:00+08:00",
        "files": [file],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))
    return receive(batch_id)


def refusal(city: Warehouse, receipt: Receipt) -> tuple[str, str]:
    """Code and message of a refusal; nothing may have been loaded."""
    assert receipt.status == "refused"
    assert receipt.error is not None
    assert city.rows("select (select count(*) from raw.settlement) + (select count(*) from intake.quarantine)") == [
        (0,)
    ]
    assert json.loads((city.outbox / receipt.batch_id / "receipt.json").read_text())["status"] == "refused"
    return receipt.error["code"], receipt.error["message"]


def counts(receipt: Receipt) -> tuple[int, ...]:
    assert receipt.status == "accepted", receipt.error
    return tuple(receipt.files[0][name] for name in ("read", "accepted", "quarantined"))


# F8: truncated files


@pytest.mark.parametrize("cut", [1, 40, 300, 700])
def test_a_file_cut_anywhere_is_never_loaded_in_part(city: Warehouse, cut: int) -> None:
    text = as_csv([one("S1"), one("S2"), one("S3")])
    whole = hashlib.sha256(text.encode()).hexdigest()
    assert refusal(city, deliver(city, text[:-cut], 3, sha256=whole))[0] == "control_mismatch"


def test_a_file_cut_on_a_row_end_has_too_few_rows(city: Warehouse) -> None:
    code, message = refusal(city, deliver(city, as_csv([one("S1"), one("S2")]), 3))
    assert (code, "rows expected 3, found 2" in message) == ("control_mismatch", True)


# F9: encodings


def test_gb18030_is_read_only_where_the_manifest_says_so(city: Warehouse) -> None:
    data = as_csv([one("S1", psn_name="张三\U00020164")]).encode("gb18030")
    code, message = refusal(city, deliver(city, data, 1))
    assert (code, "byte " in message) == ("encoding_invalid", True)
    assert counts(deliver(city, data, 1, "b2", encoding="gb18030")) == (1, 1, 0)


def test_a_byte_order_mark_is_no_part_of_the_first_column(city: Warehouse) -> None:
    assert counts(deliver(city, codecs.BOM_UTF8 + as_csv([one("S1")]).encode(), 1)) == (1, 1, 0)


def test_utf16_and_one_bad_byte_deep_in_the_file_are_refused_with_the_offset(city: Warehouse) -> None:
    text = as_csv([one("S1"), one("S2")])
    assert refusal(city, deliver(city, text.encode("utf-16"), 2))[1].startswith("a.csv: byte 0 ")
    data = text.encode()
    offset = data.index(b"S2")
    bad = data[:offset] + b"\xff" + data[offset + 1 :]
    assert f"byte {offset} " in refusal(city, deliver(city, bad, 2, "b2"))[1]


def test_an_encoding_that_is_not_agreed_is_refused(city: Warehouse) -> None:
    assert refusal(city, deliver(city, as_csv([one("S1")]), 1, encoding="utf-7"))[0] == "encoding_unknown"


# F10: the shape of a file


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(city: Warehouse, end: str) -> None:
    assert counts(deliver(city, as_csv([one("S1"), one("S2")], end), 2)) == (2, 2, 0)


def test_columns_are_found_by_name_in_any_order(city: Warehouse) -> None:
    row = one("S1")
    assert counts(deliver(city, as_csv([row], columns=sorted(row, reverse=True)), 1)) == (1, 1, 0)


def test_a_missing_column_is_named(city: Warehouse) -> None:
    row = one("S1")
    del row["hifp_pay"], row["clr_way"], row["gend"]
    code, message = refusal(city, deliver(city, as_csv([row]), 1))
    assert code == "column_missing"
    assert "clr_way, hifp_pay" in message
    assert "gend" not in message


def test_a_duplicate_column_is_refused(city: Warehouse) -> None:
    text = as_csv([one("S1")])
    doubled = "\n".join(line + "," + line.split(",")[0] for line in text.splitlines())
    assert refusal(city, deliver(city, doubled, 1))[0] == "column_duplicate"


def test_an_unknown_column_is_ignored_with_a_warning(city: Warehouse) -> None:
    receipt = deliver(city, as_csv([one("S1", **{'x"; drop table raw.settlement; --': "1"})]), 1)
    assert counts(receipt) == (1, 1, 0)
    assert any("drop table" in warning for warning in receipt.warnings)
    assert city.rows("select count(*) from raw.settlement") == [(1,)]


def test_ten_thousand_columns_are_refused(city: Warehouse) -> None:
    header = ",".join(f"c{number}" for number in range(10_000))
    assert refusal(city, deliver(city, header + "\n", 0))[0] == "too_many_columns"


def test_an_empty_file_has_no_header(city: Warehouse) -> None:
    assert refusal(city, deliver(city, "", 0))[0] == "column_missing"


def test_a_file_of_a_header_alone_is_a_day_without_settlements(city: Warehouse) -> None:
    assert counts(deliver(city, as_csv([one("S1")]).splitlines()[0] + "\n", 0)) == (0, 0, 0)


def test_quotes_commas_and_line_ends_inside_a_value_are_part_of_it(city: Warehouse) -> None:
    rows = [one("S1", psn_name='甲,"乙"\n丙'), one("S2", gend="x"), one("S3")]
    receipt = deliver(city, as_csv(rows), 3)
    assert counts(receipt) == (3, 2, 1)
    assert city.rows("select line_no from intake.quarantine") == [(4,)], "the name of S1 takes two lines"


def test_a_row_with_too_few_or_too_many_fields_is_quarantined_alone(city: Warehouse) -> None:
    header, first, second, third = as_csv([one("S1"), one("S2"), one("S3")]).splitlines()
    text = "\n".join([header, first, second.rpartition(",")[0], "", third + ",surplus", first.replace("S1", "S4")])
    receipt = deliver(city, text, 4)
    assert (counts(receipt), receipt.reasons) == ((4, 2, 2), {"R_FORM": 2})
    width = len(header.split(","))
    assert city.rows("select line_no, details -> 0 ->> 'value' from intake.quarantine order by 1") == [
        (3, f"fields expected {width}, found {width - 1} 应有 {width} 列，实有 {width - 1} 列"),
        (5, f"fields expected {width}, found {width + 1} 应有 {width} 列，实有 {width + 1} 列"),
    ]


def test_a_quote_that_is_never_closed_loads_nothing(city: Warehouse) -> None:
    text = as_csv([one("S1"), one("S2", psn_name="OPEN"), one("S3")]).replace("OPEN", '"OPEN')
    assert refusal(city, deliver(city, text, 3))[0] in ("control_mismatch", "file_malformed")


def test_a_nul_byte_quarantines_its_row(city: Warehouse) -> None:
    receipt = deliver(city, as_csv([one("S1"), one("S2", invono="1\x002"), one("S\x003")]), 3)
    assert (counts(receipt), receipt.reasons) == ((3, 1, 2), {"R_CODE": 2})
    assert city.rows("select record_key from intake.quarantine order by line_no") == [("S2",), ("S⟨NUL⟩3",)]


def test_a_field_over_its_length_is_quarantined_and_a_line_over_the_limit_refused(city: Warehouse) -> None:
    receipt = deliver(city, as_csv([one("S1", invono="9" * 21), one("S2", mdtrt_id="M" * 500_000)]), 2)
    assert receipt.reasons == {"R_CODE": 2}
    assert len((city.outbox / "b1" / "rejected.csv").read_text()) < 1_000
    assert refusal_code(deliver(city, as_csv([one("S3", mdtrt_id="M" * 1_100_000)]), 1, "b2")) == "line_too_long"


def refusal_code(receipt: Receipt) -> str:
    return receipt.error["code"] if receipt.error else ""


# F11: archives


def test_an_archive_bomb_is_refused_and_leaves_no_file_behind(city: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_LIMIT_FILE_BYTES", str(2_000_000))
    bomb = gzip.compress(as_csv([one("S1")]).encode() + b"x,\n" * 5_000_000)
    assert refusal(city, deliver(city, bomb, 1, name="a.csv.gz"))[0] == "file_too_large"
    assert list((city.inbox.parent / "local" / "work").iterdir()) == []


def test_a_linked_file_is_refused(city: Warehouse) -> None:
    text = as_csv([one("S1")])
    (city.inbox / "outside.csv").write_text(text)
    write_batch(city.inbox, "b1", "settlement", {"settlement": [one("S1")]}, day=DAY)
    (city.inbox / "b1" / "settlement.csv").unlink()
    (city.inbox / "b1" / "settlement.csv").symlink_to(city.inbox / "outside.csv")
    assert refusal(city, receive("b1"))[0] == "file_not_plain"


# F12: formulas


def test_a_formula_is_kept_as_sent_and_made_inert_on_export(city: Warehouse) -> None:
    formula = '=HYPERLINK("http://example.org","x")'
    deliver(city, as_csv([one("S1", clr_way=formula), one("@SUM(A1)", gend="x")]), 2)
    [[details]] = city.rows("select details from intake.quarantine where record_key = 'S1'")
    assert details[0]["value"] == formula
    lines = list(csv.DictReader((city.outbox / "b1" / "rejected.csv").open(newline="")))
    assert lines[0]["value"] == "'" + formula
    assert lines[1]["record_key"] == "'@SUM(A1)"


# F13: injection


def test_what_a_sender_writes_is_never_sql(city: Warehouse) -> None:
    columns = (
        "select table_name, column_name from information_schema.columns where table_schema in ('raw', 'intake') "
        "and table_name !~ '_[0-9]{6}$' order by table_name, column_name"  # but for the month's partitions
    )
    before = city.rows(columns)
    evil = "'); drop table x; --"
    evil_id = evil.replace(" ", "")  # a blank in an id of the national platform is refused anyway
    rows = [one("S1", invono=evil), one("S2", fixmedins_code=evil), one(evil_id)]
    receipt = deliver(city, as_csv(rows), 3, name="a'; drop.csv")
    assert (counts(receipt), receipt.reasons) == ((3, 2, 1), {"R_CODE": 1})
    assert city.rows("select setl_id, invono from raw.settlement order by line_no") == [
        ("S1", evil),
        (evil_id, "0000000001"),
    ]
    assert city.rows(columns) == before


@pytest.mark.parametrize("name", ["../a.csv", "a/b.csv", "/etc/passwd"])
def test_a_file_name_never_leaves_the_batch(city: Warehouse, name: str) -> None:
    assert refusal(city, deliver(city, as_csv([one("S1")]), 1, name=name))[0] == "file_name_unsafe"


# F14: control sums and numbers


@pytest.mark.parametrize(
    "expected", ["200.01", "199.99", "-200.00", "100.00", "1e308", "NaN", "2,00.00", "２００.00", ""]
)
def test_another_control_sum_is_refused_with_both_numbers(city: Warehouse, expected: str) -> None:
    text = as_csv([one("S1"), one("S2")])
    code, message = refusal(city, deliver(city, text, 2, control={"medfee_sumamt": expected}))
    assert code == "control_mismatch"
    assert f"expected {expected}, found 200.00" in message


@pytest.mark.parametrize("expected", ["200", "200.0", "+200.000"])
def test_a_control_sum_is_compared_as_a_number(city: Warehouse, expected: str) -> None:
    text = as_csv([one("S1"), one("S2")])
    assert counts(deliver(city, text, 2, control={"medfee_sumamt": expected})) == (2, 2, 0)


def test_a_control_sum_counts_bad_rows_whose_value_is_a_number(city: Warehouse) -> None:
    rows = [one("S1"), one("S2", medfee_sumamt="1.234"), one("S3", medfee_sumamt="NaN"), one("S3", gend="x")]
    receipt = deliver(city, as_csv(rows), 4, control={"medfee_sumamt": "201.234"})
    assert counts(receipt) == (4, 1, 3)
    assert receipt.files[0]["control"] == {"medfee_sumamt": "201.234"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("100.001", "R_SCALE"),
        ("NaN", "R_TYPE"),
        ("Infinity", "R_TYPE"),
        ("1,234.00", "R_TYPE"),
        ("１００.00", "R_TYPE"),
        ("1e2", "R_TYPE"),
        ("0x64", "R_TYPE"),
        ("99999999999999999.00", "R_RANGE"),
        ("", "R_MISSING"),
    ],
)
def test_a_value_that_is_no_money_has_its_own_reason_and_no_other(city: Warehouse, value: str, code: str) -> None:
    receipt = deliver(city, as_csv([one("S1", hifp_pay=value), one("S2")]), 2)
    assert (counts(receipt), receipt.reasons) == ((2, 1, 1), {code: 1})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("setl_time", "2026-02-30 10:00:00"),
        ("begndate", "2026/03/01"),
        ("brdy", "29-02-1980"),
        ("setl_time", "2026-03-02"),
        ("setl_time", "2026-03-02 24:00:00"),
        ("setl_time", "2026-03-02 23:59:60"),
    ],
)
def test_a_date_that_does_not_exist_is_a_wrong_type(city: Warehouse, column: str, value: str) -> None:
    assert deliver(city, as_csv([one("S1", **{column: value})]), 1).reasons == {"R_TYPE": 1}


# F20: the edge of the day


def test_the_business_date_is_that_of_the_settlement_in_shanghai(city: Warehouse) -> None:
    rows = [
        one("S1", setl_time=f"{DAY} 00:00:00"),
        one("S2", setl_time=f"{DAY} 23:09:59"),
        one("S3", setl_time="2026-03-01 23:59:59"),
        one("S4", setl_time="2026-03-03 00:00:00"),
    ]
    receipt = deliver(city, as_csv(rows), 4)
    assert (counts(receipt), receipt.reasons) == ((4, 2, 2), {"R_DATE": 2})
    assert city.rows("select distinct business_date::text from raw.settlement") == [(DAY,)]


# JSON lines and Parquet


def test_half_a_character_quarantines_its_row(city: Warehouse) -> None:
    lines = [json.dumps({**one("S1"), "invono": "\ud800"}, default=str), json.dumps(one("S2"), default=str)]
    receipt = deliver(city, "\n".join(lines), 2, name="a.jsonl", format="jsonl")
    assert (counts(receipt), receipt.reasons) == ((2, 1, 1), {"R_FORM": 1})


def test_a_name_given_twice_in_an_object_quarantines_its_row(city: Warehouse) -> None:
    line = json.dumps(one("S1"), default=str)
    doubled = line[:-1].replace("S1", "S2") + ', "HIFP_PAY": "1.00"}'
    receipt = deliver(city, f"{line}\n{doubled}", 2, name="a.jsonl", format="jsonl")
    assert (counts(receipt), receipt.reasons) == ((2, 1, 1), {"R_FORM": 1})


def parquet(rows: Sequence[Row], **changes: pa.Array) -> bytes:
    """One text column a name; `changes` replaces or adds columns."""
    columns = {name: pa.array([None if row[name] is None else str(row[name]) for row in rows]) for name in rows[0]}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns | changes), sink, use_dictionary=False, compression="none")
    return sink.getvalue()


def deliver_parquet(city: Warehouse, content: bytes, rows: int = 1) -> Receipt:
    return deliver(city, content, rows, name="a.parquet", format="parquet")


def test_text_that_parquet_calls_binary_is_read_as_utf8(city: Warehouse) -> None:
    invoice = pa.array(["票据".encode()], pa.binary())
    assert counts(deliver_parquet(city, parquet([one("S1")], invono=invoice))) == (1, 1, 0)
    assert city.rows("select invono from raw.settlement") == [("票据",)]


@pytest.mark.parametrize("is_binary", [True, False])
def test_parquet_that_is_not_utf8_is_refused(city: Warehouse, is_binary: bool) -> None:
    text = pa.array([b"INVOICE\xff"], pa.binary())
    if not is_binary:
        text = pa.Array.from_buffers(pa.string(), 1, text.buffers())
    assert refusal(city, deliver_parquet(city, parquet([one("S1")], invono=text)))[0] == "file_malformed"


def test_a_damaged_page_of_parquet_is_refused(city: Warehouse) -> None:
    content = bytearray(parquet([one("S1")]))
    content[4:400] = bytes(396)
    assert refusal(city, deliver_parquet(city, bytes(content)))[0] == "file_malformed"


def test_a_parquet_column_that_hides_the_row_number_is_refused(city: Warehouse) -> None:
    content = parquet([one("S1")], file_row_number=pa.array(["1"]))
    assert refusal(city, deliver_parquet(city, content))[0] == "file_malformed"


def test_a_parquet_column_given_twice_is_refused(city: Warehouse) -> None:
    content = parquet([one("S1")], HIFP_PAY=pa.array(["1.00"]))
    assert refusal(city, deliver_parquet(city, content))[0] == "column_duplicate"


# What a manifest says


@pytest.mark.parametrize("expected", ["\ud800", "\0", "1\n"])
def test_a_control_sum_with_what_cannot_be_stored_is_refused(city: Warehouse, expected: str) -> None:
    write_batch(city.inbox, "b1", "settlement", {"settlement": [one("S1")]}, day=DAY)
    manifest = json.loads((city.inbox / "b1" / "manifest.json").read_text())
    manifest["files"][0]["control"] = {"medfee_sumamt": expected}
    (city.inbox / "b1" / "manifest.json").write_text(json.dumps(manifest))
    assert refusal(city, receive("b1"))[0] == "manifest_invalid"
