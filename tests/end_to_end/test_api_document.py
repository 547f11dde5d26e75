"""docs/api.md, executed: its shell blocks in one shell, then its Python blocks as one program."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fixtures import batches

from settlement.web.problems import CODES, STATUSES

HOME = Path(__file__).parents[2]
PAGE = (HOME / "docs" / "api.md").read_text(encoding="utf-8")
AREA = "330900"
HOSPITAL = "H33090000001"
SECONDS = 1200

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 300)]


def blocks(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(found) >= 9
    return "\n".join(found)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory) -> Path:
    """Batches of an area of their own: a payment above its threshold, and a day with too many bad rows."""
    folder = tmp_path_factory.mktemp("batches")
    reference = {
        "area": [batches.area(AREA)],
        "institution": [batches.institution(HOSPITAL)],
        "bank_account": [batches.bank_account(HOSPITAL)],
        "fund_account": [batches.fund_account(AREA)],
        "payment_policy": [batches.daily_policy(AREA)],
        "cash_plan": [batches.cash_plan(AREA, "2026-01", "90000000.00", "10000000.00")],
    }
    batches.write_batch(folder, f"{AREA}-reference", "reference", reference, area_code=AREA)
    large = [batches.settlement("API1", HOSPITAL, "2026-01-05", "200000.00")]
    held = [batches.settlement("API2", HOSPITAL, "2026-01-06", "20.00") | {"hifp_pay": "1.234"}]
    for day, rows in (("2026-01-05", large), ("2026-01-06", held)):
        batch_id = f"{AREA}-{day.replace('-', '')}-0001"
        batches.write_batch(folder, batch_id, "settlement", {"settlement": rows}, day=day, area_code=AREA)
    return folder


@pytest.fixture(scope="module")
def environment(installation, delivered) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(HOME / "plugins"), os.environ.get("PYTHONPATH", "")]),
        "AIRFLOW_URL": installation.airflow_url,
        "PLATFORM_PASSWORD": installation.accounts["platform"],
        "OPERATOR_PASSWORD": installation.accounts["operator"],
        "APPROVER_PASSWORD": installation.accounts["approver"],
        "INBOX": str(installation.inbox),
        "OUTBOX": str(installation.outbox),
        "BATCHES": str(delivered),
    }


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_the_shell_blocks_take_a_batch_from_delivery_to_a_booked_payment(environment, installation):
    said = run(["bash", "-euo", "pipefail", "-c", blocks("bash")], environment)
    assert "already started" in said
    assert "140000.00" in said
    assert "approver" in said
    states = installation.rows(
        "select i.status, r.approved_by from marts.fct_payment_instructions as i"
        f" join marts.fct_payment_requests as r using (request_id) where r.area_code = '{AREA}'"
    )
    assert states == [("paid", "approver")]


def test_the_python_blocks_follow_what_the_shell_did_and_reject_a_held_batch(environment):
    run([sys.executable, "-c", blocks("python")], environment)


def test_the_page_lists_every_code_under_its_status():
    rows = {
        int(status): set(re.findall(r"`([a-z_]+)`", codes))
        for status, codes in re.findall(r"^\| (\d{3}) \| (.+) \|$", PAGE, re.M)
    }
    expected = {(status.value, code) for code, status in STATUSES.items()} | {
        (s.value, code) for s, code in CODES.items()
    }
    listed = {(status, code) for status, codes in rows.items() for code in codes}
    assert expected <= listed
    assert listed - expected == {(422, "parameter_invalid"), (500, "setting_invalid"), (500, "unforeseen")}
