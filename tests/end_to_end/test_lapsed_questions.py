"""A question that nobody answers keeps no area waiting, ends with its day, and is asked again by the next run."""

import contextlib
from decimal import Decimal

import psycopg
import pytest
from tests.end_to_end.questions import answer_and_follow, wait_for_question
from tests.fixtures import batches

from settlement.errors import SettlementError
from settlement.local.environment import METADATA

HOSPITAL, OTHER_HOSPITAL = "H44040000777", "H44050000666"
AREA, OTHER_AREA = "440400", "440500"
DAY, PAY_DATE = "2026-05-11", "2026-05-12"


@pytest.fixture(scope="module")
def cities(installation):
    """Two areas with a hospital each, whose day needs a person in the first and nobody in the second."""
    for area, hospital, amount in ((AREA, HOSPITAL, "20000.00"), (OTHER_AREA, OTHER_HOSPITAL, "1000.00")):
        batches.write_batch(
            installation.inbox,
            f"{area}-lapse-reference",
            "reference",
            {
                "area": [batches.area(area, approval_threshold="1000.00")],
                "institution": [batches.institution(hospital)],
                "bank_account": [batches.bank_account(hospital)],
                "fund_account": [batches.fund_account(area)],
                "payment_policy": [batches.daily_policy(area)],
                "cash_plan": [batches.cash_plan(area, "2026-05", "90000000.00", "0.00")],
            },
            area_code=area,
        )
        assert installation.receive(f"{area}-lapse-reference")["status"] == "accepted"
        row = batches.settlement(f"L{area}", hospital, DAY, amount)
        batches.write_batch(
            installation.inbox, f"{area}-lapse", "settlement", {"settlement": [row]}, day=DAY, area_code=area
        )
        assert installation.receive(f"{area}-lapse")["status"] == "accepted"
    return installation


def let_the_day_end(installation, run_id):
    """Move the end of the run's questions into the past, as the clock would."""
    with psycopg.connect(installation.admin_dsn, dbname=METADATA) as connection:
        parked = connection.execute(
            "update task_instance set trigger_timeout = now() - interval '1 second'"
            " where run_id = %s and state = 'awaiting_input' and trigger_timeout > now() returning task_id",
            [run_id],
        ).fetchall()
    assert parked == [("ask_for_approval",)]


def instructed(installation, area):
    return installation.rows(f"select amount from marts.fct_payment_instructions where area_code = '{area}'")


def test_an_open_question_keeps_no_other_area_waiting(cities):
    cities.api("platform").trigger("settle_day", "asks", {"pay_date": PAY_DATE, "area_code": AREA})
    wait_for_question(cities.api(), "asks")
    conf = {"pay_date": PAY_DATE, "area_code": OTHER_AREA}
    assert cities.run("settle_day", "asks-nobody", conf) == "success"
    assert instructed(cities, OTHER_AREA) == [(Decimal("700.00"),)]
    assert cities.api().run("settle_day", "asks").state == "running"


def test_a_question_lapses_an_answer_after_it_decides_nothing_and_the_next_run_asks_again(cities):
    api, approver = cities.api("platform"), cities.api("approver")
    question = wait_for_question(api, "asks")
    let_the_day_end(cities, "asks")
    assert [run.state for run in api.follow("settle_day", "asks", seconds=240)][-1] == "success"
    assert "undecided" in cities.note("settle_day", "asks")
    with contextlib.suppress(SettlementError):
        approver.answer(question, "approve", {"reason": "too late"})
    assert instructed(cities, AREA) == []

    api.trigger("settle_day", "asks-again", {"pay_date": PAY_DATE, "area_code": AREA})
    again = wait_for_question(api, "asks-again")
    assert again["body"] == question["body"]
    assert answer_and_follow(approver, again, "approve", "in time") == "success"
    assert instructed(cities, AREA) == [(Decimal("14000.00"),)]
