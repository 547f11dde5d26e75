"""A load that is killed at any moment has not begun, or has ended; two loads at once load once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import area, institution, settlement, write_batch
from tests.fixtures.one_hospital import DAY, HOSPITAL, register_hospital

from settlement.intake import receipts as receipts_module
from settlement.intake import receive, waiting_batches

ROWS = 4_000


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    return register_hospital(warehouse)


def start_receiving(batch_id: str) -> subprocess.Popen[bytes]:
    program = "import sys; from settlement.intake import receive; receive(sys.argv[1])"
    path = os.pathsep.join([entry for entry in sys.path if entry])
    return subprocess.Popen([sys.executable, "-c", program, batch_id], env={**os.environ, "PYTHONPATH": path})


def copied_bytes(city: Warehouse) -> int:
    [(copied,)] = city.rows("select coalesce(max(bytes_processed), 0) from pg_stat_progress_copy")
    return int(copied)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_load_killed_in_copy_leaves_nothing_and_is_finished_by_the_next(city: Warehouse, seed: int) -> None:
    rows = [settlement(f"S{number}", HOSPITAL, DAY, f"{number % 500}.25") for number in range(ROWS)]
    write_batch(city.inbox, "b1", "settlement", {"settlement": rows}, day=DAY, control=["medfee_sumamt"])
    enough = random.Random(seed).randrange(1, 800_000)
    process = start_receiving("b1")
    deadline = time.monotonic() + 120
    while copied_bytes(city) < enough and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    seen = city.rows("select count(*) from raw.settlement")[0][0]
    assert seen in (0, ROWS), f"seed {seed}"
    receipt = receive("b1")
    assert receipt.first_status or receipt.status == "accepted"
    assert city.rows("select count(*), count(distinct setl_id), sum(medfee_sumamt)::text from raw.settlement") == [
        (ROWS, ROWS, f"{sum(number % 500 for number in range(ROWS)) + ROWS // 4}.00")
    ], f"seed {seed}"
    assert city.rows("select count(*) from raw.settlement_key") == [(ROWS,)]
    assert city.rows("select row_count from raw.accepted_day") == [(ROWS,)]


def test_a_crash_before_the_receipt_is_healed_by_the_next_run(city: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    write_batch(city.inbox, "b1", "settlement", {"settlement": [settlement("S1", HOSPITAL, DAY, "1.00")]}, day=DAY)
    with monkeypatch.context() as patch:
        patch.setattr(receipts_module, "write_whole", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            receive("b1")
    assert city.rows("select count(*) from raw.settlement") == [(1,)]
    assert waiting_batches() == ["b1"]
    assert receive("b1").status == "duplicate"
    assert json.loads((city.outbox / "b1" / "receipt.json").read_text())["status"] == "accepted"


def test_the_same_batch_received_at_the_same_time_is_loaded_once(city: Warehouse) -> None:
    rows = [settlement(f"S{number}", HOSPITAL, DAY, "1.00") for number in range(200)]
    write_batch(city.inbox, "b1", "settlement", {"settlement": rows}, day=DAY)
    with ThreadPoolExecutor(3) as pool:
        found = sorted(receipt.status for receipt in pool.map(receive, ["b1"] * 3))
    assert found.count("accepted") >= 1
    assert set(found) <= {"accepted", "duplicate"}
    assert city.rows("select count(*) from raw.settlement") == [(200,)]
    assert city.rows("select count(*) from raw.accepted_day") == [(1,)]


def test_two_areas_that_claim_the_same_settlement_load_it_once(city: Warehouse) -> None:
    register = institution("H33020600123", area_code="330200")
    write_batch(
        city.inbox,
        "ref-2",
        "reference",
        {"area": [area("330200", reject_limit="1.0")], "institution": [register]},
        area_code="330200",
    )
    receive("ref-2")
    for batch_id, code, hospital in (("b1", "330100", HOSPITAL), ("b2", "330200", "H33020600123")):
        rows = [settlement(f"S{number}", hospital, DAY, "1.00") for number in range(300)]
        write_batch(city.inbox, batch_id, "settlement", {"settlement": rows}, day=DAY, area_code=code)
    with ThreadPoolExecutor(2) as pool:
        found = {receipt.batch_id: receipt for receipt in pool.map(receive, ["b1", "b2"])}
    accepted = sorted(receipt.files[0]["accepted"] for receipt in found.values())
    assert accepted == [0, 300]
    assert [receipt.reasons for receipt in found.values() if receipt.reasons] == [{"R_CONFLICT": 300}]
    assert city.rows("select count(*) from raw.settlement") == [(300,)]
