"""What a batch may cost: bytes, rows and disk are bounded for all its files together, and a refusal gives all back."""

import hashlib
import json
import os
import shutil
import threading
import time
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import area, institution, settlement, write_batch
from tests.fixtures.one_hospital import DAY, HOSPITAL

from settlement.errors import SettlementError
from settlement.intake import Receipt, receive, waiting_batches
from settlement.intake.tidying import tidy_inbox

MIB = 2**20


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    """One hospital in an area that holds a batch when a row in twenty is refused."""
    write_batch(warehouse.inbox, "ref", "reference", {"area": [area()], "institution": [institution(HOSPITAL)]})
    assert receive("ref").status == "accepted"
    return warehouse


def deliver(city: Warehouse, files: dict[str, bytes], rows: int = 1, batch_id: str = "b1", **entry: Any) -> Receipt:
    folder = city.inbox / batch_id
    folder.mkdir()
    entries = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        form = name.split(".")[1]
        about = {"name": name, "table": "settlement", "format": form, "encoding": "utf-8", "rows": rows, "control": {}}
        entries.append(about | {"sha256": hashlib.sha256(content).hexdigest()} | entry)
    manifest = {"batch_id": batch_id, "kind": "settlement", "area_code": "330100", "business_date": DAY}
    manifest |= {"created_at": f"{DAY}T23:10:00+08:00", "files": entries}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return receive(batch_id)


def code(receipt: Receipt) -> str:
    assert receipt.status == "refused"
    assert receipt.error is not None
    return receipt.error["code"]


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def as_csv(rows: list[dict[str, object]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def bytes_below(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


class Peak:
    """The most that stood in a folder while the block ran."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.most, self._ends = folder, 0, threading.Event()

    def __enter__(self) -> "Peak":
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ends.wait(0.005):
            try:
                self.most = max(self.most, bytes_below(self.folder))
            except OSError:
                continue


def test_line_feeds_that_expand_to_gigabytes_are_stopped_at_their_header_and_leave_no_byte(city: Warehouse) -> None:
    work = Path(os.environ["SETTLEMENT_LOCAL"]) / "work"
    bomb = zstd(b"\n" * 128 * MIB)
    with Peak(work) as peak:
        receipt = deliver(city, {f"f{number}.csv.zst": bomb for number in range(6)})
    assert code(receipt) == "column_missing"
    assert peak.most < 4 * MIB
    assert bytes_below(work) == 0


@pytest.mark.parametrize(
    ("setting", "value", "refusal"),
    [
        ("BATCH_BYTES", 2_000, "batch_too_large"),
        ("EXPANDED_BYTES", 200_000, "batch_too_large"),
        ("BATCH_ROWS", 700, "too_many_rows"),
        ("FILE_ROWS", 499, "too_many_rows"),
    ],
)
def test_files_that_are_small_one_by_one_are_bounded_together(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch, setting: str, value: int, refusal: str
) -> None:
    content = zstd(as_csv([settlement(f"S{number}", HOSPITAL, DAY, "1.00") for number in range(500)]))
    monkeypatch.setenv(f"SETTLEMENT_LIMIT_{setting}", str(value))
    assert code(deliver(city, {"a.csv.zst": content, "b.csv.zst": content}, rows=500)) == refusal
    assert bytes_below(Path(os.environ["SETTLEMENT_LOCAL"]) / "work") == 0


def test_a_manifest_that_says_less_rows_than_there_are_is_stopped_by_the_lines(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLEMENT_LIMIT_FILE_ROWS", "1000")
    content = as_csv([settlement("S1", HOSPITAL, DAY, "1.00")]) + b"\n" * 3 * MIB
    assert code(deliver(city, {"a.csv": content})) == "too_many_rows"


@pytest.mark.parametrize("name", ["a.csv.zst", "a.tsv.zst", "a.jsonl.zst", "a.json4101.zst"])
@pytest.mark.parametrize("end", [b"\r", b"\r\r\n"])
def test_line_ends_of_another_kind_than_the_first_fill_no_disk(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch, name: str, end: bytes
) -> None:
    row = settlement("S1", HOSPITAL, DAY, "1.00")
    first, other = (
        (b"{}", b"{}") if "json" in name else ((b"\t" if "tsv" in name else b",").join(map(str.encode, row)), b"1")
    )
    bomb = zstd(first + b"\n" + (other + end) * 2**19)
    work = Path(os.environ["SETTLEMENT_LOCAL"]) / "work"
    of_lists = {"table": "settlement_list"} if "4101" in name else {}
    with Peak(work) as peak:
        assert code(deliver(city, {name: bomb}, **of_lists)) == "control_mismatch"
    assert peak.most < 8 * MIB
    monkeypatch.setenv("SETTLEMENT_LIMIT_FILE_ROWS", str(2**19 - 2))
    assert code(deliver(city, {name: bomb}, batch_id="b2", **of_lists)) == "too_many_rows"


@pytest.mark.parametrize("table", ["settlement", "settlement_list"])
def test_names_that_differ_from_line_to_line_are_columns_of_one_file(city: Warehouse, table: str) -> None:
    rows = [{f"x{line}_{number}": "" for number in range(300)} for line in range(20)]
    form = "jsonl" if table == "settlement" else "json4101"
    lines = [
        row if form == "jsonl" else {"setlinfo": {"setl_id": "S1"}, "diseinfo": [row | {"seq": 1}]} for row in rows
    ]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert code(deliver(city, {f"a.{form}": content}, rows=20, table=table)) == "too_many_columns"


def test_a_receipt_names_so_many_columns_and_counts_the_others(city: Warehouse) -> None:
    row = settlement("S1", HOSPITAL, DAY, "1.00") | {f"x{number}": "" for number in range(500)}
    receipt = deliver(city, {"a.csv": as_csv([row]), "b.jsonl": json.dumps(row, default=str).encode()})
    assert len(receipt.warnings) == 100
    [counted] = [text for text in receipt.warnings if "more columns" in text]
    named = [text for text in receipt.warnings if "is not in the contract" in text]
    assert int(counted.split()[0]) + len(named) == 1_000


def test_what_short_rows_become_counts_as_bytes_of_the_batch(city: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Path(os.environ["SETTLEMENT_LOCAL"]) / "work"
    monkeypatch.setenv("SETTLEMENT_LIMIT_EXPANDED_BYTES", str(4 * MIB))
    with Peak(work) as peak:
        assert code(deliver(city, {"a.jsonl.zst": zstd(b"{}\n" * 2**19)}, rows=2**19)) == "batch_too_large"
    assert peak.most < 5 * MIB


def test_the_children_of_a_document_are_rows_of_the_batch(city: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_LIMIT_BATCH_ROWS", "1000")
    for number, children in enumerate((998, 1_000)):
        document = {"setlinfo": {"setl_id": "S1"}, "diseinfo": [{"diag_code": "I10"}] * children}
        content = json.dumps(document).encode() + b"\n"
        receipt = deliver(city, {"a.json4101": content}, batch_id=f"b{number}", table="settlement_list")
        assert code(receipt) == ("column_missing" if children < 1_000 else "too_many_rows")


def test_a_text_that_expands_beyond_the_ratio_is_refused_and_one_below_it_is_not(city: Warehouse) -> None:
    row = as_csv([settlement("S1", HOSPITAL, DAY, "1.00")])
    bomb = row + row.splitlines(keepends=True)[1] * 100_000
    receipt = deliver(city, {"a.csv.zst": zstd(bomb)}, rows=100_001)
    assert code(receipt) == "expansion_ratio"
    assert "倍" in str(receipt.error)


def test_one_row_again_and_again_in_parquet_is_no_small_file(city: Warehouse) -> None:
    row = {name: str(value or "") for name, value in settlement("S1", HOSPITAL, DAY, "1.00").items()}
    target = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [value] * 200_000 for name, value in row.items()}), target)
    content = target.getvalue().to_pybytes()
    assert len(content) < 200_000
    assert code(deliver(city, {"a.parquet": content}, rows=200_000)) == "expansion_ratio"
    assert city.rows("select count(*) from intake.quarantine") == [(0,)]


def test_of_a_held_batch_so_many_refused_rows_are_kept_and_the_others_counted(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLEMENT_LIMIT_QUARANTINED_ROWS", "30")
    rows = [settlement(f"S{number}", HOSPITAL, DAY, "1.00") | {"gend": "x"} for number in range(20)]
    more = [row | {"setl_id": f"T{number}"} for number, row in enumerate(rows)]
    receipt = deliver(city, {"a.csv": as_csv(rows), "b.csv": as_csv(more)}, rows=20)
    assert receipt.status == "held"
    assert [(file["quarantined"], file.get("unlisted", 0)) for file in receipt.files] == [(20, 0), (20, 10)]
    assert city.rows("select file_no, count(*) from intake.quarantine group by 1 order by 1") == [(1, 20), (2, 10)]
    assert len((city.outbox / "b1" / "rejected.csv").read_text("utf-8-sig").splitlines()) == 31
    assert receipt.reasons == {"R_DICT": 40}


def test_a_disk_without_room_is_looked_at_before_and_is_no_fault_of_the_batch(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    content = as_csv([settlement("S1", HOSPITAL, DAY, "1.00")])
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(100, 100, 512 * MIB))
        with pytest.raises(SettlementError, match="disk_space_low"):
            deliver(city, {"a.csv": content})
    assert waiting_batches() == ["b1"]
    assert bytes_below(Path(os.environ["SETTLEMENT_LOCAL"]) / "work") == 0
    assert receive("b1").status == "accepted"


def test_an_empty_batch_of_a_far_day_makes_no_partitions(city: Warehouse) -> None:
    before = city.rows("select count(*) from pg_class where relispartition")
    header = as_csv([settlement("S1", HOSPITAL, DAY, "1.00")]).splitlines(keepends=True)[0]
    write_batch(city.inbox, "far", "settlement", {}, day="2026-06-30")
    (city.inbox / "far" / "a.csv").write_bytes(header)
    manifest = json.loads((city.inbox / "far" / "manifest.json").read_text())
    manifest["files"] = [
        {
            "name": "a.csv",
            "table": "settlement",
            "format": "csv",
            "rows": 0,
            "sha256": hashlib.sha256(header).hexdigest(),
        }
    ]
    (city.inbox / "far" / "manifest.json").write_text(json.dumps(manifest))
    assert receive("far").status == "accepted"
    assert city.rows("select count(*) from pg_class where relispartition") == before


@pytest.mark.parametrize(("day", "is_taken"), [("2026-03-03", True), ("2026-03-04", False), ("2099-06-30", False)])
def test_a_business_date_is_not_after_the_day_the_batch_was_made(city: Warehouse, day: str, is_taken: bool) -> None:
    rows = [settlement("S1", HOSPITAL, day, "1.00")]
    write_batch(city.inbox, "b1", "settlement", {"settlement": rows}, day=day, created_at="2026-03-02T23:00:00+08:00")
    receipt = receive("b1")
    assert (receipt.status != "refused") is is_taken
    assert is_taken or "business_date" in str(receipt.error)


@pytest.mark.parametrize(
    ("ahead", "is_taken"), [(-timedelta(days=900), True), (timedelta(minutes=10), True), (timedelta(minutes=20), False)]
)
def test_a_batch_is_made_before_it_comes_by_our_clock(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, ahead: timedelta, is_taken: bool
) -> None:
    monkeypatch.delenv("SETTLEMENT_LIMIT_MINUTES_AHEAD")
    made = datetime.now(UTC) + ahead
    write_batch(warehouse.inbox, "b1", "reference", {"area": [area("330100")]}, created_at=made.isoformat())
    receipt = receive("b1")
    assert (receipt.error is None) is is_taken, receipt.error
    assert is_taken or "晚于接收时间" in str(receipt.error)


def aged(city: Warehouse, batch_id: str, days: int) -> None:
    """Make a batch look as if it had come and been received so many days ago."""
    then = time.time() - days * 86_400
    for path in [*(city.inbox / batch_id).iterdir(), city.inbox / batch_id]:
        os.utime(path, (then, then))
    with city.admin() as connection:
        connection.execute("alter table intake.batch disable trigger all")
        connection.execute(
            "update intake.batch set received_at = clock_timestamp() - make_interval(days => %s) where batch_id = %s",
            [days - 1, batch_id],
        )
        connection.execute("alter table intake.batch enable trigger all")


def test_old_batches_leave_the_inbox_and_what_waits_stays(city: Warehouse) -> None:
    good = as_csv([settlement("S1", HOSPITAL, DAY, "1.00")])
    bad = as_csv([settlement("S2", HOSPITAL, DAY, "1.00") | {"gend": "x"}])
    made = {
        "accepted-old": deliver(city, {"a.csv": good}, batch_id="accepted-old"),
        "accepted-new": deliver(city, {"a.csv": good}, batch_id="accepted-new"),
        "refused-old": deliver(city, {"a.csv": good}, rows=2, batch_id="refused-old"),
        "refused-new": deliver(city, {"a.csv": good}, rows=2, batch_id="refused-new"),
        "refused-again": deliver(city, {"a.csv": good}, rows=2, batch_id="refused-again"),
        "held": deliver(city, {"a.csv": bad}, batch_id="held"),
    }
    assert [receipt.status for receipt in made.values()] == ["accepted"] * 2 + ["refused"] * 3 + ["held"]
    write_batch(city.inbox, "waiting", "reference", {"area": [area("330100")]})
    for batch_id, files in (("broken-off", ["a.csv"]), ("empty", []), ("begun", ["a.csv"])):
        (city.inbox / batch_id).mkdir()
        for name in files:
            (city.inbox / batch_id / name).write_bytes(good)
    days = {"accepted-old": 402, "accepted-new": 399, "refused-old": 32, "refused-new": 29, "refused-again": 32}
    days |= {"held": 900, "waiting": 900, "broken-off": 31, "empty": 2, "begun": 29}
    for batch_id, age in days.items():
        aged(city, batch_id, age)
    os.utime(city.inbox / "refused-again" / "manifest.json")
    assert tidy_inbox() == 4
    stay = {"accepted-new", "refused-new", "refused-again", "held", "waiting", "begun"}
    assert stay < {folder.name for folder in city.inbox.iterdir()}
    assert not {"accepted-old", "refused-old", "broken-off", "empty"} & {path.name for path in city.inbox.iterdir()}
    assert receive("accepted-old").status == "duplicate"
    assert tidy_inbox() == 0
