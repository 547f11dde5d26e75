"""Rows whose columns are shifted or swapped leave nobody's name or number behind: not in a table, file or log."""

import csv
import io
import json
import logging
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg import sql
from tests.fixtures.batches import Row, area, institution, settlement, write_batch
from tests.fixtures.formats import as_file, write_files
from tests.fixtures.one_hospital import DAY, HOSPITAL
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401 - a fixture

from settlement.intake import receive

PLANTED = {
    "names": ("张三丰", "欧阳娜娜", "迪丽热巴·迪力木拉提", "李雷"),
    "certificates": ("110101198001018516", "11010119800101803X", "440524198001010014", "530102198001012711"),
    "persons": ("65110000000000000612", "53000000000000000017", "330100198001010019", "9900000000000000731"),
    "phones": ("13912345678", "+86 138-1234-5678", "0571-87654321", "18600001111"),
}
BORN = "1980-01-01"
MARKS = [text for texts in PLANTED.values() for text in texts]


@pytest.fixture
def city(
    prepared: PreparedWarehouse,  # noqa: F811 - the fixture
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> PreparedWarehouse:
    """One hospital; every row of a file may be bad."""
    monkeypatch.setenv("SETTLEMENT_INBOX", str(tmp_path / "inbox"))
    monkeypatch.setenv("SETTLEMENT_LOCAL", str(tmp_path / "local"))
    (tmp_path / "inbox").mkdir()
    prepared.execute("truncate reference.area, reference.institution, reference.bank_account")
    tables = {"area": [area(reject_limit="1.0")], "institution": [institution(HOSPITAL, area_code="330100")]}
    write_batch(tmp_path / "inbox", "reference-1", "reference", tables)
    assert receive("reference-1").status == "accepted"
    return prepared


def settled(number: int) -> dict[str, Any]:
    person = number % 4
    row = settlement(f"330100S{number:013}", HOSPITAL, DAY, "100.00", person=PLANTED["persons"][person])
    return row | {
        **dict(psn_name=PLANTED["names"][person], certno=PLANTED["certificates"][person], brdy=BORN),
        **dict(mdtrt_id=f"330100M{number:013}", invono=f"{number:010}", phone=PLANTED["phones"][person]),
    }


def listed(number: int) -> dict[str, Any]:
    row = settled(number)
    return {
        **{name: row[name] for name in ("setl_id", "mdtrt_id", "fixmedins_code", "psn_no", "psn_name", "certno")},
        **dict(medcasno=f"C{number}", gend="1", brdy=BORN, age="46", ipt_med_type="1", adm_way="1", trt_type="1"),
        **dict(adm_time=f"{DAY} 08:00:00", dscg_time=f"{DAY} 09:00:00", act_ipt_days="1", dscg_way="1"),
        **dict(bill_code="33", bill_no=f"{number:010}", biz_sn=f"SN{number}", setl_begn_date=DAY, setl_end_date=DAY),
        **dict(hi_paymtd="1", phone=row["phone"], psn_selfpay="0.00", psn_ownpay="0.00", acct_pay="0.00"),
    }


def fee_line(number: int) -> dict[str, Any]:
    row = settled(number)
    return {
        **dict(setl_id="330100S0000000000001", feedetl_sn=f"F{number}", psn_no=row["psn_no"]),
        **dict(psn_name=row["psn_name"], certno=row["certno"], med_list_codg="XN01", med_chrgitm_type="09", cnt="1"),
        **dict(pric="1", det_item_fee_sumamt="1.00", fulamt_ownpay_amt="0.00", overlmt_amt="0.00"),
        **dict(preselfpay_amt="0.00", inscp_scp_amt="1.00", fee_ocur_time=f"{DAY} 09:00:00", phone=row["phone"]),
    }


def practitioner(number: int) -> dict[str, Any]:
    return {
        **dict(code=f"D330106{number:06}", name=settled(number)["psn_name"], fixmedins_code=HOSPITAL, status="active"),
        **dict(points="1.00", phone=settled(number)["phone"], valid_from="2026-01-01"),
    }


def shifted(rows: Sequence[Row], by: int) -> list[Row]:
    """Values `by` columns further to the right (left where negative), under the names as they were."""
    names = list(rows[0])
    return [{names[(place + by) % len(names)]: row[name] for place, name in enumerate(names)} for row in rows]


def with_a_comma_too_many(rows: Sequence[Row], places: range) -> list[Row]:
    """An empty value at one place after the other, and the last value lost."""
    names = list(rows[0])
    found = []
    for row, place in zip(rows, places, strict=False):
        values = list(row.values())
        values.insert(place, "")
        found.append(dict(zip(names, values, strict=False)))
    return found


def swapped(rows: Sequence[Row], first: str, second: str) -> list[Row]:
    return [{**row, first: row[second], second: row[first]} for row in rows]


def text_in(prepared: PreparedWarehouse) -> Iterator[tuple[str, str]]:  # noqa: F811
    """Every row of every table, view and partition of the warehouse as text, with the relation's name."""
    with psycopg.connect(prepared.admin_dsn) as connection:
        relations = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, name in relations:
            found = connection.execute(
                sql.SQL("select coalesce(string_agg(to_jsonb(found)::text, ' '), '') from {} as found").format(
                    sql.Identifier(schema, name)
                )
            ).fetchone()
            yield f"{schema}.{name}", str(found[0]) if found else ""


def leaks(prepared: PreparedWarehouse, folders: Sequence[Path], log: str) -> list[tuple[str, str]]:  # noqa: F811
    places = [
        *text_in(prepared),
        *((str(path), path.read_bytes().decode(errors="replace")) for folder in folders for path in _files(folder)),
        ("log", log),
    ]
    return [(place, mark) for place, text in places for mark in MARKS if mark in text]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


PERSONAL = ("psn_no", "psn_name", "certno", "phone")
# Two ids of one form cannot be told apart by anything that the row says of itself.
ALIKE = {("psn_no", name) for name in ("setl_id", "mdtrt_id", "init_setl_id", "invono", "medcasno")} | {
    ("psn_no", name) for name in ("bill_code", "bill_no", "biz_sn", "feedetl_sn", "med_list_codg")
}
# A phone is a number like others where an id may be one, and in the one amount that nothing is compared with.
ALIKE |= {("phone", name) for name in ("setl_id", "mdtrt_id", "init_setl_id", "invono", "acct_mulaid_pay")}
ALIKE |= {("phone", name) for name in ("medcasno", "bill_code", "bill_no", "biz_sn", "feedetl_sn", "med_list_codg")}
ALIKE |= {("certno", name) for name in ("feedetl_sn", "med_list_codg")}


def stories() -> Iterator[tuple[str, list[Row]]]:
    """Rows of each table: shifted by 1 to 3 columns either way, with a comma too many, and every swap of two."""
    number = 0
    for table, make in (("settlement", settled), ("settlement_list", listed), ("fee_item", fee_line)):
        whole: list[dict[str, Any]] = []
        for _ in range(8):
            number += 1
            whole.append(make(number))
        names = list(whole[0])
        rows = [row for by in (-3, -2, -1, 1, 2, 3) for row in shifted(whole, by)]
        many = [make(number := number + 1) for _ in names]
        rows += with_a_comma_too_many(many, range(len(names)))
        for person in PERSONAL:
            for other in names:
                if person in names and other not in PERSONAL and (person, other) not in ALIKE:
                    number += 1
                    rows += swapped([make(number)], person, other)
        rows += swapped([make(number := number + 1)], "psn_name", "certno")
        yield table, rows


def test_a_scenario_of_misaligned_rows_leaves_no_person_anywhere(
    city: PreparedWarehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    inbox = tmp_path / "inbox"
    for format_ in ("csv", "jsonl", "parquet", "tsv"):
        for table, rows in stories():
            files = [(table, format_, as_file(rows, format_), len(rows))]
            receipt = receive(write_files(inbox, f"{table}-{format_}", files, DAY))
            assert receipt.status == "accepted", receipt.error
            assert receipt.files[0]["quarantined"] > 100
    people = [practitioner(number) for number in range(1, 9)]
    crooked = [row for by in (-2, -1, 1, 2) for row in shifted(people, by)] + swapped(people, "name", "status")
    write_batch(inbox, "people", "reference", {"practitioner": crooked})
    assert receive("people").files[0]["quarantined"] == len(crooked)
    assert leaks(city, [tmp_path / "outbox", tmp_path / "local"], caplog.text) == []


def test_a_document_with_swapped_values_leaves_no_person_anywhere(
    city: PreparedWarehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    documents = []
    for number, other in enumerate(("gend", "adm_time", "fixmedins_code", "act_ipt_days", "hi_paymtd"), start=1):
        for person in ("psn_no", "psn_name", "certno"):
            [row] = swapped([listed(number)], person, other)
            diagnoses = [{"diag_code": row["psn_name"], "diag_name": row["certno"], "adm_cond_type": row["psn_no"]}]
            documents.append(json.dumps({"setlinfo": row, "diseinfo": diagnoses}, ensure_ascii=False))
    content = "\n".join(documents).encode()
    write_files(tmp_path / "inbox", "lists", [("settlement_list", "json4101", content, len(documents))], DAY)
    assert receive("lists").files[0]["quarantined"] == len(documents)
    assert leaks(city, [tmp_path / "outbox", tmp_path / "local"], caplog.text) == []


def test_a_file_without_its_header_leaves_no_person_anywhere(
    city: PreparedWarehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = io.StringIO()
    csv.writer(text).writerows([list(settled(number).values()) for number in range(1, 9)])
    write_files(tmp_path / "inbox", "headless", [("settlement", "csv", text.getvalue().encode(), 7)], DAY)
    assert receive("headless").status == "refused"
    row = settled(1)
    odd = {**row, str(row["psn_name"]): "1", str(row["certno"]): "2", str(row["phone"]): "3"}
    for format_ in ("csv", "jsonl", "parquet"):
        files = [("settlement", format_, as_file([odd], format_), 1)]
        receipt = receive(write_files(tmp_path / "inbox", f"odd-{format_}", files, DAY))
        assert len([text for text in receipt.warnings if "masked" in text]) == 3
    assert leaks(city, [tmp_path / "outbox", tmp_path / "local"], caplog.text) == []


def test_what_is_no_person_stays_readable(city: PreparedWarehouse, tmp_path: Path) -> None:
    rows = [
        settled(1) | {"gend": "x", "hifp_pay": "1,234.00"},
        settled(2) | {"begndate": "2026/03/02", "fixmedins_code": "X123"},
        settled(3) | {"clr_way": '=HYPERLINK("http://x")', "dise_codg": "I10,x00"},
    ]
    write_batch(tmp_path / "inbox", "b1", "settlement", {"settlement": rows}, day=DAY)
    receive("b1")
    with (tmp_path / "outbox" / "b1" / "rejected.csv").open(newline="", encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    assert [line["record_key"] for line in lines] == [f"330100S{number:013}" for number in (1, 2, 3)]
    values = "|".join(line["value"] for line in lines)
    for value in ("x", "1,234.00", "2026/03/02", "X123", '=HYPERLINK("http://x")', "I10,x00"):
        assert value in values


def parquet_with(column: str, value: bytes) -> bytes:
    """One settlement whose `column` says that it is text, and holds these bytes."""
    arrays = {name: pa.array([None if text is None else str(text)]) for name, text in settled(1).items()}
    lengths = (0).to_bytes(4, "little") + len(value).to_bytes(4, "little")
    arrays[column] = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(lengths), pa.py_buffer(value)])
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink)
    return sink.getvalue()


@pytest.mark.parametrize("column", ["psn_name", "certno", "psn_no", "setl_id", "invono", "dise_codg", "medfee_sumamt"])
@pytest.mark.parametrize(
    "value",
    [f"张三丰{MARKS[4]}".encode("gbk"), f"{MARKS[4]}张三丰".encode()[:-1]],
    ids=["GBK", "cut off"],
)
def test_a_column_of_parquet_that_is_not_utf_8_is_named_and_its_value_is_not(
    city: PreparedWarehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture, column: str, value: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    content = parquet_with(column, value)
    receipt = receive(write_files(tmp_path / "inbox", "b1", [("settlement", "parquet", content, 1)], DAY))
    assert receipt.error is not None
    assert receipt.error["code"] == "file_malformed"
    said = f"{receipt.error['message']} {receipt.error['hint']}"
    assert all(word in said for word in ("settlement_1.parquet", column, "UTF-8", "编码")), said
    assert str(tmp_path) not in said
    assert leaks(city, [tmp_path / "outbox", tmp_path / "local"], caplog.text) == []


def test_a_damaged_zip_is_refused_without_the_names_that_stand_in_it(
    city: PreparedWarehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{MARKS[4]}.csv", "setl_id\n1\n")
    content = packed.getvalue().replace(b"setl_id\n1", b"setl_id\n2", 1)  # its checksum is another one now
    write_files(tmp_path / "inbox", "b1", [("settlement", "csv", content, 1)], DAY)
    folder = tmp_path / "inbox" / "b1"
    (folder / "settlement_1.csv").rename(folder / "settlement_1.csv.zip")
    manifest = (folder / "manifest.json").read_text().replace("settlement_1.csv", "settlement_1.csv.zip")
    (folder / "manifest.json").write_text(manifest)
    receipt = receive("b1")
    assert receipt.error is not None
    assert receipt.error["code"] == "archive_invalid"
    assert leaks(city, [tmp_path / "outbox", tmp_path / "local"], caplog.text) == []
