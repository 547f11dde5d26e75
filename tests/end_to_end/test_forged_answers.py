"""Accounts that may write XComs and task states over Airflow's API move no money by it.

`admin` stands for every role that may: the local roles `user` and `op`, and Airflow's own `Op` and `Admin` under FAB.
"""

import json
import time
from decimal import Decimal

import httpx
import pytest
from tests.end_to_end.questions import SECONDS_TO_READ, answer_and_follow, wait_for_question
from tests.fixtures import batches

HOSPITAL, OTHER_HOSPITAL = "H44020000888", "H44030000999"
AREA, OTHER_AREA = "440200", "440300"
DAY, PAY_DATE, NEXT_PAY_DATE = "2026-05-11", "2026-05-12", "2026-05-13"


@pytest.fixture(scope="module")
def cities(installation):
    """Two areas with a hospital each, whose day is above the threshold in the first and below it in the second."""
    for area, hospital in ((AREA, HOSPITAL), (OTHER_AREA, OTHER_HOSPITAL)):
        batches.write_batch(
            installation.inbox,
            f"{area}-forged-reference",
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
        assert installation.receive(f"{area}-forged-reference")["status"] == "accepted"
        deliver(installation, area, hospital, DAY, "20000.00" if area == AREA else "1000.00")
    return installation


def deliver(installation, area, hospital, day, amount):
    batch_id = f"{area}-forged-{day}"
    row = batches.settlement(f"F{area}{day}", hospital, day, amount)
    batches.write_batch(installation.inbox, batch_id, "settlement", {"settlement": [row]}, day=day, area_code=area)
    assert installation.receive(batch_id)["status"] == "accepted"


class Forger:
    """Writes over Airflow's API what it can, as one account."""

    def __init__(self, installation, user, run_id):
        token = httpx.post(
            f"{installation.airflow_url}/auth/token",
            json={"username": user, "password": installation.accounts[user]},
            timeout=30,
        ).json()["access_token"]
        self.client = httpx.Client(
            base_url=f"{installation.airflow_url}/api/v2/dags/settle_day/dagRuns/{run_id}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    def write_xcom(self, task_id, value, map_index=-1):
        """Write a task's result anew, whether it has one already or not."""
        body = {"value": value, "map_index": map_index}
        path = f"/taskInstances/{task_id}/xcomEntries"
        answers = [
            self.client.post(path, json={"key": "return_value", **body}),
            self.client.patch(f"{path}/return_value", json=body),
        ]
        return [answer.status_code for answer in answers]

    def xcom(self, task_id):
        """Give a task's result."""
        value = self.client.get(f"/taskInstances/{task_id}/xcomEntries/return_value").json()["value"]
        return json.loads(value) if isinstance(value, str) else value

    def set_to_success(self, task_id, map_index=-1):
        """Set a task instance to success."""
        place = f"/taskInstances/{task_id}/{map_index}" if map_index >= 0 else f"/taskInstances/{task_id}"
        return self.client.patch(place, json={"new_state": "success"}).status_code

    def tasks(self):
        """State of each task instance by name and place."""
        found = self.client.get("/taskInstances", params={"limit": 100}).json()["task_instances"]
        return {(task["task_id"], task["map_index"]): task for task in found}


def decisions(installation, area=AREA):
    return installation.rows(
        f"select status, decided_by from marts.fct_payment_requests where area_code = '{area}' order by pay_date"
    )


def instructed(installation, area=AREA):
    return installation.rows(f"select amount from marts.fct_payment_instructions where area_code = '{area}' order by 1")


def test_an_approval_that_is_written_over_the_api_approves_nothing(cities):
    api = cities.api("platform")
    api.trigger("settle_day", "forged", {"pay_date": PAY_DATE, "area_code": AREA})
    question = wait_for_question(api, "forged")
    assert decisions(cities) == [("requested", None)]  # published before anybody was asked
    forger = Forger(cities, "admin", "forged")
    [about] = forger.xcom("list_open_questions")
    answered = {"about": about, "decision": "approved", "option": "approve", "person": "approver", "failures": {}}
    assert 201 in forger.write_xcom("ask_for_approval", answered, map_index=0)
    assert forger.set_to_success("ask_for_approval", 0) == 200
    assert [run.state for run in api.follow("settle_day", "forged", seconds=240)][-1] == "success"
    assert decisions(cities) == [("requested", None)]
    assert instructed(cities) == []
    assert "undecided" in cities.note("settle_day", "forged")
    assert question["task_instance"]["map_index"] == 0


def test_a_second_run_asks_again_and_a_real_answer_pays(cities):
    api = cities.api("platform")
    api.trigger("settle_day", "honest", {"pay_date": PAY_DATE, "area_code": AREA})
    question = wait_for_question(api, "honest")
    assert HOSPITAL in question["body"]
    assert answer_and_follow(cities.api("approver"), question, "approve", "compared") == "success"
    assert decisions(cities) == [("approved", "approver")]
    assert instructed(cities) == [(Decimal("14000.00"),)]


def test_an_area_that_is_written_over_the_api_is_not_settled(cities):
    """While the run's later steps wait, what the first one handed on is changed to another area and account."""
    deliver(cities, AREA, HOSPITAL, PAY_DATE, "100.00")
    api = cities.api("platform")
    api.trigger("settle_day", "other-area", {"pay_date": NEXT_PAY_DATE, "area_code": AREA})
    forger = Forger(cities, "admin", "other-area")
    end = time.monotonic() + 120
    while forger.tasks().get(("resolve_pay_date", -1), {}).get("state") != "success" and time.monotonic() < end:
        time.sleep(0.1)
    forged = {"pay_date": NEXT_PAY_DATE, "area_code": OTHER_AREA, "triggered_by": "scheduler"}
    assert set(forger.write_xcom("resolve_pay_date", forged)) & {200, 201}
    assert [run.state for run in api.follow("settle_day", "other-area", seconds=240)][-1] == "success"
    assert instructed(cities, OTHER_AREA) == []
    assert instructed(cities) == [(Decimal("70.00"),), (Decimal("14000.00"),)]


def test_a_question_shows_what_is_decided_although_its_task_was_cleared_and_pointed_elsewhere(cities):
    """A cleared task keeps its words; pointed at another request it would show one and decide on the other."""
    deliver(cities, AREA, HOSPITAL, NEXT_PAY_DATE, "30000.00")
    deliver(cities, OTHER_AREA, OTHER_HOSPITAL, NEXT_PAY_DATE, "90000.00")
    api = cities.api("platform")
    api.trigger("settle_day", "cleared", {"pay_date": "2026-05-14"})
    wait_for_question(api, "cleared")
    forger = Forger(cities, "admin", "cleared")
    questions = api.open_questions("settle_day", "cleared")
    while len(questions) < 2:
        time.sleep(1)
        questions = api.open_questions("settle_day", "cleared")
    [small] = [question for question in questions if AREA in question["subject"]]
    index = small["task_instance"]["map_index"]
    ids = forger.xcom("list_open_questions")
    forger.write_xcom("list_open_questions", [ids[1 - index]] * 2)
    cleared = httpx.post(
        f"{cities.airflow_url}/api/v2/dags/settle_day/clearTaskInstances",
        headers=dict(forger.client.headers),
        json={
            "dry_run": False,
            "dag_run_id": "cleared",
            "task_ids": [["ask_for_approval", index]],
            "only_failed": False,
            "only_running": False,
            "reset_dag_runs": False,
        },
        timeout=60,
    )
    assert cleared.status_code == 200, cleared.text
    approver = cities.api("approver")
    for run in approver.follow("settle_day", "cleared", seconds=300):
        for asked in approver.open_questions("settle_day", "cleared"):
            time.sleep(SECONDS_TO_READ)
            if AREA in asked["subject"]:
                approver.answer(asked, "approve", {"reason": "the small one"})
            elif OTHER_AREA in asked["subject"]:
                approver.answer(asked, "reject", {"reason": "not this one"})
        state = run.state
    assert state == "success"
    assert "approved" not in [status for status, _ in decisions(cities, OTHER_AREA)]
    assert instructed(cities, OTHER_AREA) == []
