"""Receiving batches of a small area: what is accepted, refused, repeated, held, and what the receipt says."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, institution, settlement, write_batch

from settlement.errors import SettlementError
from settlement.intake import Receipt, receive, waiting_batches

HOSPITAL, OTHER = "H33010600123", "H33010600456"
DAY = "2026-03-02"


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    """One area with two hospitals; up to half of a file's rows may be bad."""
    write_batch(
        warehouse.inbox,
        "reference-1",
        "reference",
        {"area": [area(reject_limit="0.500000")], "institution": [hospital(HOSPITAL), hospital(OTHER)]},
    )
    assert receive("reference-1").status == "accepted"
    return warehouse


def hospital(code: str) -> Row:
    return institution(code, area_code="330100")


def deliver(city: Warehouse, batch_id: str, rows: list[Any], day: str = DAY, **more: Any) -> Receipt:
    write_batch(city.inbox, batch_id, "settlement", {"settlement": rows}, day=day, control=["medfee_sumamt"], **more)
    return receive(batch_id)


def counts(receipt: Receipt, file: int = 0) -> tuple[int, ...]:
    return tuple(receipt.files[file][name] for name in ("read", "accepted", "quarantined", "repeated", "pending"))


def one(setl_id: str, fund: str = "100.00", **fields: Any) -> dict[str, Any]:
    return settlement(setl_id, HOSPITAL, DAY, fund, **fields)


def test_good_rows_are_loaded_typed_and_without_identity(city: Warehouse) -> None:
    receipt = deliver(city, "b1", [one("S1"), one("S2", "23.45")])
    assert (receipt.status, counts(receipt), receipt.reasons) == ("accepted", (2, 2, 0, 0, 0), {})
    assert receipt.files[0]["control"] == {"medfee_sumamt": "123.45"}
    rows = city.rows(
        "select setl_id, hifp_pay::text, business_date::text, (setl_time at time zone 'UTC')::text, "
        "length(person_key), area_code, "
        "batch_id, accepted_batch_id, line_no from raw.settlement order by line_no"
    )
    assert rows == [
        ("S1", "100.00", DAY, "2026-03-02 02:00:00", 64, "330100", "b1", "b1", 2),
        ("S2", "23.45", DAY, "2026-03-02 02:00:00", 64, "330100", "b1", "b1", 3),
    ]
    assert city.rows("select business_date::text, row_count from raw.accepted_day") == [(DAY, 2)]
    written = json.loads((city.outbox / "b1" / "receipt.json").read_text())
    assert written == receipt.as_json()


def test_a_bad_row_keeps_all_its_reasons_and_the_others_go_on(city: Warehouse) -> None:
    bad = one("S2") | {"gend": "7", "hifp_pay": "1.234", "begndate": "2026-03-05"}
    receipt = deliver(city, "b1", [one("S1"), bad, one("S3")])
    assert counts(receipt) == (3, 2, 1, 0, 0)
    assert receipt.reasons == {"R_DATE_ORDER": 1, "R_DICT": 1, "R_SCALE": 1}
    [(line_no, key, codes)] = city.rows("select line_no, record_key, reason_codes from intake.quarantine")
    assert (line_no, key, set(codes)) == (3, "S2", {"R_DICT", "R_SCALE", "R_DATE_ORDER"})
    [line] = csv.DictReader((city.outbox / "b1" / "rejected.csv").open(encoding="utf-8-sig"))
    assert (line["file"], line["line_no"], line["record_key"]) == ("settlement.csv", "3", "S2")
    assert dict(zip(line["field"].split("|"), line["value"].split("|"), strict=True))["hifp_pay"] == "1.234"


def test_no_person_is_named_anywhere_outside_the_inbox(city: Warehouse) -> None:
    person = {"psn_no": "PERSON-NUMBER-7", "psn_name": "SECRETNAME", "certno": "CERT-7"}
    broken = {"insutype": "", "psn_no": "", "psn_name": "SECRETNAME"}
    deliver(city, "b1", [one("S1") | person, one("S2") | person | {"gend": "x"}, one("S3") | broken, one("S4")])
    texts = [path.read_text() for path in city.outbox.rglob("*") if path.is_file()]
    for relation in ("raw.settlement", "intake.quarantine", "intake.batch", "intake.batch_file"):
        texts += [str(row) for row in city.rows(f"select t::text from {relation} as t")]
    for word in ("PERSON-NUMBER-7", "SECRETNAME", "CERT-7"):
        assert not [text for text in texts if word in text]


def test_the_same_person_has_the_same_key_in_every_batch(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1")])
    deliver(city, "b2", [one("S2"), one("S3", person="33000000000000000002")])
    assert city.rows("select count(distinct person_key) from raw.settlement") == [(2,)]


def test_a_key_twice_in_a_batch_keeps_its_first_row(city: Warehouse) -> None:
    receipt = deliver(city, "b1", [one("S1", "1.00"), one("S2"), one("S1", "2.00"), one("S1", "1.00")])
    assert (counts(receipt), receipt.reasons) == ((4, 2, 2, 0, 0), {"R_DUPLICATE": 2})
    assert city.rows("select hifp_pay::text from raw.settlement where setl_id = 'S1'") == [("1.00",)]


def test_a_key_twice_over_two_files_keeps_the_row_of_the_first_file(city: Warehouse) -> None:
    write_batch(city.inbox, "b1", "settlement", {"settlement": [one("S1", "1.00"), one("S2")]}, day=DAY)
    folder = city.inbox / "b1"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"].append(manifest["files"][0] | {"name": "again.csv"})
    (folder / "again.csv").write_bytes((folder / "settlement.csv").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))
    city.rows("select 1")
    receipt = receive("b1")
    assert receipt.status == "held"
    assert [counts(receipt, file) for file in (0, 1)] == [(2, 2, 0, 0, 0), (2, 0, 2, 0, 0)]


def test_the_same_rows_under_another_batch_id_are_repeated(city: Warehouse) -> None:
    rows = [one("S1"), one("S2")]
    deliver(city, "b1", rows)
    receipt = deliver(city, "b2", rows)
    assert (receipt.status, counts(receipt)) == ("accepted", (2, 0, 0, 2, 0))
    assert city.rows("select count(*) from raw.settlement") == [(2,)]
    assert city.rows("select count(*) from raw.accepted_day") == [(1,)]


def test_money_written_otherwise_is_the_same_row(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1", "100.00")])
    receipt = deliver(city, "b2", [one("S1", "100.0") | {"psn_name": "renamed", "gend": " 1 "}])
    assert counts(receipt) == (1, 0, 0, 1, 0)


def test_another_row_under_an_accepted_id_is_a_conflict(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1")])
    receipt = deliver(city, "b2", [one("S1", "99.99"), one("S2")])
    assert (counts(receipt), receipt.reasons) == ((2, 1, 1, 0, 0), {"R_CONFLICT": 1})


def test_an_id_of_another_institution_is_a_conflict_too(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1")])
    receipt = deliver(city, "b2", [settlement("S1", OTHER, DAY, "100.00"), one("S2")])
    assert receipt.reasons == {"R_CONFLICT": 1}


def test_the_same_batch_again_is_a_duplicate_and_changes_nothing(city: Warehouse) -> None:
    first = deliver(city, "b1", [one("S1")])
    again = receive("b1")
    assert (again.status, again.first_status, again.files) == ("duplicate", "accepted", first.files)
    assert json.loads((city.outbox / "b1" / "receipt.json").read_text())["status"] == "accepted"
    assert city.rows("select count(*) from raw.settlement") == [(1,)]


def test_other_content_under_a_received_id_is_refused_and_changes_nothing(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1")])
    before = city.rows("select t::text from intake.batch as t")
    for path in (city.inbox / "b1").iterdir():
        path.unlink()
    (city.inbox / "b1").rmdir()
    receipt = deliver(city, "b1", [one("S1"), one("S2")])
    assert receipt.status == "refused"
    assert receipt.error is not None
    assert receipt.error["code"] == "batch_conflict"
    assert city.rows("select t::text from intake.batch as t") == before
    assert json.loads((city.outbox / "b1" / "receipt.json").read_text())["status"] == "accepted"


def test_a_changed_file_behind_an_unchanged_manifest_is_a_conflict(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1")])
    (city.inbox / "b1" / "settlement.csv").write_text("something else")
    receipt = receive("b1")
    assert receipt.error is not None
    assert receipt.error["code"] == "batch_conflict"


def test_a_refused_batch_may_come_again_mended_under_its_id(city: Warehouse) -> None:
    write_batch(city.inbox, "b1", "settlement", {"settlement": [one("S1")]}, day=DAY)
    path = city.inbox / "b1" / "settlement.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert receive("b1").status == "refused"
    path.write_bytes(whole)
    assert receive("b1").status == "accepted"
    assert json.loads((city.outbox / "b1" / "receipt.json").read_text())["status"] == "accepted"


def test_days_out_of_order_keep_their_own_business_dates(city: Warehouse) -> None:
    deliver(city, "b3", [settlement("S3", HOSPITAL, "2026-03-03", "3.00")], day="2026-03-03")
    deliver(city, "b2", [one("S2")])
    found = city.rows("select accepted_batch_id, business_date::text from raw.accepted_day order by load_id")
    assert found == [("b3", "2026-03-03"), ("b2", "2026-03-02")]


def test_too_many_bad_rows_hold_the_batch_until_it_is_released(city: Warehouse) -> None:
    rows = [one("S1"), one("S2") | {"gend": "x"}, one("S3") | {"gend": "x"}]
    receipt = deliver(city, "b1", rows)
    assert (receipt.status, counts(receipt)) == ("held", (3, 1, 2, 0, 0))
    assert receive("b1").status == "held"
    assert city.rows("select count(*) from raw.settlement") == [(0,)]
    assert city.rows("select count(*) from intake.quarantine") == [(2,)]

    released = receive("b1", release_by="li", reason="checked with the hospital")
    assert (released.status, counts(released)) == ("accepted", (3, 1, 2, 0, 0))
    assert city.rows("select count(*) from raw.settlement") == [(1,)]
    assert city.rows("select status, decided_by from intake.batch where batch_id = 'b1'") == [("accepted", "li")]
    assert city.rows("select decision, decided_by, reason from intake.batch_decision") == [
        ("release", "li", "checked with the hospital")
    ]
    assert receive("b1", release_by="li").status == "duplicate"


def test_a_held_batch_that_is_rejected_stays_refused(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1") | {"gend": "x"}])
    rejected = receive("b1", reject_by="li", reason="wrong month")
    assert rejected.status == "refused"
    assert rejected.error is not None
    assert (rejected.error["code"], rejected.error["message"]) == (
        "held_rejected",
        "rejected by li (人工退回): wrong month",
    )
    assert receive("b1").status == "refused"
    assert receive("b1", release_by="wang").status == "refused"
    assert receive("b1", reject_by="li").status == "refused"
    assert city.rows("select count(*) from raw.settlement") == [(0,)]


def test_only_a_held_batch_can_be_rejected(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1")])
    with pytest.raises(SettlementError) as refusal:
        receive("b1", reject_by="li")
    assert refusal.value.code == "batch_not_held"


def test_the_areas_own_limit_decides_and_five_percent_without_one(warehouse: Warehouse) -> None:
    write_batch(warehouse.inbox, "reference-1", "reference", {"institution": [hospital(HOSPITAL)]})
    receive("reference-1")
    rows = [one(f"S{number}") for number in range(39)] + [one("B1") | {"gend": "x"}, one("B2") | {"gend": "x"}]
    assert deliver(warehouse, "b1", rows[:40]).status == "accepted"
    assert deliver(warehouse, "b2", [row | {"setl_id": f"X{row['setl_id']}"} for row in rows[2:]]).status == "held"


def test_waiting_batches_are_complete_not_received_and_oldest_first(city: Warehouse) -> None:
    write_batch(city.inbox, "b2", "settlement", {"settlement": [one("S2")]}, day=DAY)
    write_batch(city.inbox, "b1", "settlement", {"settlement": [one("S1")]}, day="2026-03-03")
    (city.inbox / "unfinished").mkdir()
    (city.inbox / "not a batch").mkdir()
    assert waiting_batches() == ["b2", "b1"]
    receive("b2")
    assert waiting_batches() == ["b1"]


def test_a_missing_receipt_is_written_again(city: Warehouse) -> None:
    receipt = deliver(city, "b1", [one("S1"), one("S2") | {"gend": "x"}])
    for path in (city.outbox / "b1").iterdir():
        path.unlink()
    assert waiting_batches() == ["b1"]
    assert receive("b1").status == "duplicate"
    assert json.loads((city.outbox / "b1" / "receipt.json").read_text()) == receipt.as_json()
    assert len((city.outbox / "b1" / "rejected.csv").read_text().splitlines()) == 2


def test_a_batch_removed_from_the_inbox_stays_received(city: Warehouse) -> None:
    deliver(city, "b1", [one("S1")])
    for path in (city.inbox / "b1").iterdir():
        path.unlink()
    assert receive("b1").status == "duplicate"


@pytest.mark.parametrize("batch_id", ["..", "a/b", "", "x" * 65, "b1'; drop table raw.settlement", "-b1"])
def test_what_is_no_batch_id_never_becomes_a_path(warehouse: Warehouse, batch_id: str) -> None:
    with pytest.raises(SettlementError) as refusal:
        receive(batch_id)
    assert refusal.value.code == "batch_id_invalid"


def test_a_batch_without_manifest_is_not_there_yet(warehouse: Warehouse, tmp_path: Path) -> None:
    (warehouse.inbox / "b1").mkdir()
    with pytest.raises(SettlementError) as refusal:
        receive("b1")
    assert refusal.value.code == "batch_not_found"


def held_batch(city: Warehouse) -> Path:
    """A batch with one good row and two bad ones, more than the area allows."""
    rows = [one("S1"), one("S2") | {"gend": "x"}, one("S3") | {"gend": "x"}]
    assert deliver(city, "b1", rows).status == "held"
    return city.inbox / "b1"


def test_only_what_was_held_is_released(city: Warehouse) -> None:
    folder = held_batch(city)
    manifest, content = ((folder / name).read_bytes() for name in ("manifest.json", "settlement.csv"))
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    write_batch(city.inbox, "b1", "settlement", {"settlement": [one("S7"), one("S8")]}, day=DAY)
    other = receive("b1", release_by="li")
    assert (other.status, other.error and other.error["code"]) == ("refused", "batch_conflict")
    (folder / "manifest.json").write_bytes(manifest)
    other = receive("b1", release_by="li")
    assert (other.status, other.error and other.error["code"]) == ("refused", "batch_conflict")
    assert city.rows("select status from intake.batch where batch_id = 'b1'") == [("held",)]
    assert city.rows("select count(*) from raw.settlement") == [(0,)]
    (folder / "settlement.csv").write_bytes(content)
    assert receive("b1", release_by="li").status == "accepted"


def test_a_held_batch_whose_files_are_gone_is_not_released_in_silence(city: Warehouse) -> None:
    for path in held_batch(city).iterdir():
        path.unlink()
    with pytest.raises(SettlementError) as refusal:
        receive("b1", release_by="li")
    assert refusal.value.code == "batch_not_found"
    assert "put the files" in refusal.value.hint
    assert receive("b1").status == "held"


def test_a_refused_batch_waits_again_when_it_has_a_newer_manifest(city: Warehouse) -> None:
    write_batch(city.inbox, "b1", "settlement", {"settlement": [one("S1")]}, day=DAY)
    path = city.inbox / "b1" / "manifest.json"
    whole = path.read_text()
    path.write_text(whole.replace('"rows": 1', '"rows": 2'))
    assert receive("b1").status == "refused"
    assert waiting_batches() == []
    time.sleep(0.02)  # a file's time is as exact as the system's clock tick
    path.write_text(whole)
    assert waiting_batches() == ["b1"]
    assert receive("b1").status == "accepted"
    assert waiting_batches() == []


def test_a_rejected_batch_does_not_wait_again(city: Warehouse) -> None:
    folder = held_batch(city)
    receive("b1", reject_by="li")
    time.sleep(0.02)
    (folder / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
    assert waiting_batches() == []
