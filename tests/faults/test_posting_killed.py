"""F2: a poster that is killed leaves the books as if it had not begun, or as if it had ended."""

import random
import signal
import subprocess
import sys
import time

import pytest
from tests.fixtures.processes import package_environment
from tests.fixtures.proposals import AREA, Accrual, offer

from settlement.ledger.posting import post
from settlement.ledger.verification import verify_ledger

POSTER = f"""
import sys
import time
from settlement.ledger.posting import post
from settlement.warehouse import connect

with connect("poster") as connection:
    print("begun", flush=True)
    posting = post(connection, "entries.entry_accrued", area_code="{AREA}", purpose="accrued", posted_by="victim")
    print("posted", flush=True)
    time.sleep(float(sys.argv[1]))
"""
INSTITUTIONS = 400


def start_poster(seconds_before_commit):
    return subprocess.Popen(
        [sys.executable, "-c", POSTER, str(seconds_before_commit)],
        stdout=subprocess.PIPE,
        text=True,
        env=package_environment(),
    )


def wait_for(process, word):
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"the poster ended before it said {word!r}")


@pytest.fixture
def offered(warehouse):
    with warehouse.connect("transformer") as connection:
        offer(connection, [Accrual("12.34", institution=f"H330106{n:05}") for n in range(INSTITUTIONS)])
    return warehouse


def post_again(warehouse):
    with warehouse.connect("poster") as connection:
        return post(connection, "entries.entry_accrued", area_code=AREA, purpose="accrued", posted_by="successor")


def test_a_poster_killed_before_its_commit_leaves_nothing(offered):
    victim = start_poster(60)
    wait_for(victim, "posted")
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert offered.rows("select count(*) from ledger.entry") == [(0,)]
    assert post_again(offered).entry_count == INSTITUTIONS
    assert verify_ledger().is_intact


@pytest.mark.parametrize("seed", range(3))
def test_a_poster_killed_at_a_random_moment_has_posted_all_or_nothing(offered, seed):
    delay = random.Random(seed).uniform(0.0, 0.3)
    victim = start_poster(0)
    wait_for(victim, "begun")
    time.sleep(delay)
    victim.kill()
    victim.wait()
    again = post_again(offered)
    assert again.entry_count in (0, INSTITUTIONS), f"seed {seed}, killed after {delay:.3f} s"
    assert offered.rows("select count(*), count(distinct posting_run_id) from ledger.entry") == [(INSTITUTIONS, 1)]
    assert offered.rows("select count(*) from ledger.accrued_batch_day") == [(1,)]
    assert verify_ledger().is_intact
