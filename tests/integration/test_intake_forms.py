"""The same rows in other forms: Parquet's types, line ends inside values, and files that are broken at random."""

import csv
import datetime as dt
import gzip
import hashlib
import io
import json
import random
import re
import zipfile
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import area, institution, settlement, write_batch

from settlement.intake import Receipt, receive

HOSPITAL = "H33010600123"
DAY = "2026-03-02"
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    """One hospital; every row of a file may be bad."""
    write_batch(
        warehouse.inbox,
        "ref",
        "reference",
        {"area": [area(reject_limit="1.0")], "institution": [institution(HOSPITAL)]},
    )
    assert receive("ref").status == "accepted"
    return warehouse


def one(setl_id: str, **fields: object) -> dict[str, Any]:
    return settlement(setl_id, HOSPITAL, DAY, "100.00") | fields


def deliver(city: Warehouse, content: bytes, batch_id: str = "b1", rows: int = 1, **entry: Any) -> Receipt:
    folder = city.inbox / batch_id
    folder.mkdir()
    file = {"name": "a.csv", "table": "settlement", "format": "csv", "encoding": "utf-8", "rows": rows, "control": {}}
    file |= {"sha256": hashlib.sha256(content).hexdigest()} | entry
    (folder / str(file["name"])).write_bytes(content)
    manifest = {"batch_id": batch_id, "kind": "settlement", "area_code": "330100", "business_date": DAY}
    manifest |= {"created_at": f"{DAY}T23:10:00+08:00", "files": [file]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return receive(batch_id)


def parquet(city: Warehouse, columns: dict[str, pa.Array], batch_id: str = "b1") -> Receipt:
    """Deliver one row as Parquet, some of its columns with another type than text."""
    texts = {name: pa.array([None if value is None else str(value)]) for name, value in one("S1").items()}
    target = pa.BufferOutputStream()
    pq.write_table(pa.table(texts | columns), target)
    return deliver(city, target.getvalue().to_pybytes(), batch_id, name="a.parquet", format="parquet")


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        *(("medfee_sumamt", pa.float32()), ("hifp_pay", pa.float16()), ("pool_prop_selfpay", pa.float32())),
        *(("psn_no", pa.float64()), ("insutype", pa.float64()), ("setl_id", pa.float32())),
    ],
)
def test_a_float_that_cannot_carry_what_its_column_holds_is_refused(
    city: Warehouse, column: str, type_: pa.DataType
) -> None:
    receipt = parquet(city, {column: pa.array([1.0]).cast(type_)})
    assert receipt.error is not None
    assert receipt.error["code"] == "column_type"
    assert column in receipt.error["message"]
    assert "浮点数" in receipt.error["message"]


EXACT = {
    "64-bit floats": {"medfee_sumamt": pa.array([100.0]), "hifp_pay": pa.array([100.0])},
    "decimals": {"medfee_sumamt": pa.array([Decimal("100.00")], pa.decimal128(18, 2))},
    "decimals of six places": {"medfee_sumamt": pa.array([Decimal("100.000000")], pa.decimal128(24, 6))},
    "decimals of 256 bits": {"medfee_sumamt": pa.array([Decimal("100.00")], pa.decimal256(40, 2))},
    "whole numbers": {"medfee_sumamt": pa.array([100], pa.int32()), "refd_setl_flag": pa.array([0], pa.int8())},
    "unsigned numbers": {"medfee_sumamt": pa.array([100], pa.uint64())},
    "a flag as float": {"refd_setl_flag": pa.array([0.0])},
    "a flag as boolean": {"refd_setl_flag": pa.array([False])},
    "codes as numbers": {"insutype": pa.array([310]), "gend": pa.array([1], pa.int8())},
    "dictionaries": {"insutype": pa.array(["310"]).dictionary_encode()},
    "large text": {"setl_id": pa.array(["S1"], pa.large_string())},
    "bytes": {"setl_id": pa.array([b"S1"], pa.binary())},
    "dates": {"begndate": pa.array([dt.date(2026, 3, 2)]), "brdy": pa.array([dt.date(1980, 1, 1)], pa.date64())},
    "days as time stamps": {
        "begndate": pa.array([dt.datetime(2026, 3, 2)], pa.timestamp("ns")),
        "brdy": pa.array([dt.datetime(1980, 1, 1)], pa.timestamp("ms")),
    },
    "days as time stamps in UTC": {
        "begndate": pa.array([dt.datetime(2026, 3, 2, tzinfo=SHANGHAI)], pa.timestamp("us", "UTC"))
    },
    "a time in UTC": {"setl_time": pa.array([dt.datetime(2026, 3, 2, 10, tzinfo=SHANGHAI)], pa.timestamp("us", "UTC"))},
    "a time in nanoseconds": {"setl_time": pa.array([dt.datetime(2026, 3, 2, 10)], pa.timestamp("ns"))},
    "nothing, as floats": {"init_setl_id": pa.array([None], pa.float64()), "dise_codg": pa.array([None], pa.float32())},
    "nothing, of no type": {"init_setl_id": pa.array([None], pa.null())},
}


@pytest.mark.parametrize("what", EXACT)
def test_a_type_that_carries_its_values_is_read_as_the_text_they_would_have(city: Warehouse, what: str) -> None:
    receipt = parquet(city, EXACT[what])
    assert (receipt.status, receipt.reasons) == ("accepted", {})
    assert city.rows(
        "select medfee_sumamt::text, begndate::text, brdy::text, insutype, to_char(setl_time, 'HH24:MI') from ("
        "select *, setl_time at time zone 'Asia/Shanghai' as local from raw.settlement) as stored"
    )[0][:4] == ("100.00", "2026-03-02", "1980-01-01", "310")
    assert city.rows("select to_char(setl_time at time zone 'Asia/Shanghai', 'HH24:MI') from raw.settlement") == [
        ("10:00",)
    ]


def test_what_was_computed_with_floats_shows_itself_row_by_row(city: Warehouse) -> None:
    receipt = parquet(city, {"hifp_pay": pa.array([0.1 + 0.2])})
    assert receipt.reasons["R_SCALE"] == 1


def test_a_time_that_is_not_midnight_is_no_day(city: Warehouse) -> None:
    receipt = parquet(city, {"begndate": pa.array([dt.datetime(2026, 3, 2, 8)], pa.timestamp("us"))})
    assert receipt.reasons == {"R_TYPE": 1}


def as_csv(rows: list[dict[str, Any]], end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize("inside", ["\r", "\n", "\r\n", "\r\r\n", "\n\r"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("row", [0, 1])
def test_a_line_end_inside_a_quoted_value_is_part_of_it(city: Warehouse, inside: str, end: str, row: int) -> None:
    rows = [one("S1"), one("S2")]
    rows[row]["psn_name"] = f"张{inside}三"
    receipt = deliver(city, as_csv(rows, end), rows=2)
    assert (receipt.status, receipt.files[0]["accepted"]) == ("accepted", 2)


def test_line_ends_of_several_kinds_in_one_file_are_line_ends(city: Warehouse) -> None:
    lines = as_csv([one("S1"), one("S2"), one("S3")]).split(b"\n")
    receipt = deliver(
        city, b"".join(line + end for line, end in zip(lines, (b"\n", b"\r\n", b"\r", b"\n"), strict=False)), rows=3
    )
    assert (receipt.status, receipt.files[0]["accepted"]) == ("accepted", 3)


@pytest.mark.parametrize("inside", ["\r", "\n", "\r\n", "\u2028", "\u0085"])
def test_a_line_end_inside_a_json_value_or_name_is_part_of_it(city: Warehouse, inside: str) -> None:
    row = {name: "" if value is None else str(value) for name, value in one("S1").items()}
    row |= {"psn_name": f"张{inside}三", f"remark{inside}x": "y"}
    content = json.dumps(row).encode() + b"\n" + json.dumps(row | {"setl_id": "S2"}).encode() + b"\r\n"
    receipt = deliver(city, content, rows=2, name="a.jsonl", format="jsonl")
    assert (receipt.status, receipt.files[0]["accepted"]) == ("accepted", 2)


def forms() -> dict[str, tuple[str, bytes]]:
    """Two good rows in every form that a table is delivered in."""
    rows = [one("S1", psn_name="张\r\n三"), one("S2")]
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    plain = as_csv(rows)
    tab = "\n".join("\t".join(line) for line in [list(texts[0]), *(list(row.values()) for row in texts[1:])]) + "\n"
    target = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(texts), target, compression="zstd")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.csv"), plain)
    return {
        "a.csv": ("csv", plain),
        "b.csv": ("csv", as_csv(rows[1:])),
        "a.tsv": ("tsv", tab.encode()),
        "a.jsonl": ("jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in texts)),
        "a.parquet": ("parquet", target.getvalue().to_pybytes()),
        "a.csv.gz": ("csv", gzip.compress(plain, mtime=0)),
        "a.csv.zst": ("csv", bytes(pa.compress(plain, codec="zstd", asbytes=True))),
        "a.csv.zip": ("csv", packed.getvalue()),
    }


def broken(content: bytes, chance: random.Random) -> bytes:
    """Change a file as disks, networks and programs do: bytes flipped, cut out, doubled, or put in."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) + 1)
        size = chance.choice([1, 1, 2, 8, 64])
        what = chance.randrange(5)
        if what == 0:
            changed[place : place + size] = chance.randbytes(min(size, len(changed) - place))
        elif what == 1:
            del changed[place : place + size]
        elif what == 2:
            changed[place:place] = changed[place : place + size]
        elif what == 3:
            changed[place:place] = chance.choice(
                [b"\0", b"\r", b"\n", b'"', b"\xff", b",", b"\t", b"\\", "\u2028".encode()]
            )
        else:
            del changed[place:]
    return bytes(changed)


CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("seed", range(12))
def test_no_file_however_it_is_broken_makes_a_load_fail(city: Warehouse, seed: int) -> None:
    chance = random.Random(seed)
    for name, (form, content) in forms().items():
        batch_id = f"{name}-{seed}"
        receipt = deliver(city, broken(content, chance), batch_id, rows=chance.choice([1, 2]), name=name, format=form)
        assert receipt.status in ("accepted", "held", "refused"), batch_id
        assert (city.outbox / batch_id / "receipt.json").exists(), batch_id
        for words in (receipt.error or {}).values() if receipt.status == "refused" else ():
            assert words == (receipt.error or {})["code"] or CHINESE.search(words), batch_id


def test_a_zip_that_names_a_place_before_its_beginning_is_damaged(city: Warehouse) -> None:
    content = bytearray(forms()["a.csv.zip"][1])
    directory = content.index(b"PK\x01\x02")
    content[directory : directory + 2] = b"P"  # one byte less: everything is one place earlier than it says
    receipt = deliver(city, bytes(content), name="a.csv.zip")
    assert receipt.error is not None
    assert receipt.error["code"] == "archive_invalid"
