"""Whose answers count: never those of who caused the question, of strangers, of other areas, or without a reason."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskAwaitingInput

from settlement.local.credentials import AIRFLOW_ROLES, APPROVERS, RELEASERS
from settlement.tasks import intake, people
from settlement.tasks.people import Answer, QuestionOperator, accounts_named_by, objection_to

AREA, OTHER = "330100", "330200"


def answer(person: str = "director", option: str = "approve", reason: str = "") -> Answer:
    return Answer(about="R1", option=option, person=person, reason=reason)


def test_an_answer_of_somebody_else_counts() -> None:
    assert objection_to(answer(), AREA, {"platform", ""}, set()) is None
    assert objection_to(answer(), AREA, {None}, {"director", "admin"}) is None


@pytest.mark.parametrize("involved", [{"director", ""}, {"platform", "director"}])
def test_who_triggered_the_run_or_made_the_request_cannot_answer(involved: set[str]) -> None:
    assert "another person must answer" in str(objection_to(answer(), AREA, involved, {"director"}))


def test_where_accounts_are_named_only_those_may_answer() -> None:
    assert "operator may not answer this; admin, director may" in str(
        objection_to(answer("operator"), AREA, set(), {"director", "admin"})
    )


@pytest.mark.parametrize("option", ["approve", "release"])
def test_an_account_bound_to_areas_decides_on_nothing_of_another(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", f'{{"director": ["{AREA}"]}}')
    objection = objection_to(answer(option=option), OTHER, set(), {"director", "province"})
    assert f"director may not act on area {OTHER}" in str(objection)
    assert objection_to(answer(option=option), AREA, set(), {"director", "province"}) is None
    assert objection_to(answer("province", option), OTHER, set(), {"director", "province"}) is None


def test_while_the_setting_of_areas_cannot_be_read_no_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"director": "330100"')
    assert "setting_invalid" in str(objection_to(answer("province"), AREA, set(), set()))


def test_an_answer_from_another_area_leaves_the_question_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", f'{{"director": ["{AREA}"]}}')
    asked_again: list[Any] = []
    monkeypatch.setattr(people, "upsert_hitl_detail", lambda **question: asked_again.append(question["ti_id"]))
    given = {
        "chosen_options": ["approve"],
        "params_input": {"reason": ""},
        "responded_by_user": {"id": "2", "name": "director"},
        "responded_at": datetime(2026, 3, 3, tzinfo=UTC),
        "timedout": False,
    }
    context: Any = {"dag_run": SimpleNamespace(triggering_user_name="platform"), "task_instance": SimpleNamespace(id=7)}

    def ask(area_code: str) -> QuestionOperator:
        return QuestionOperator(task_id="ask", subject="?", options=["approve", "reject"], area_code=area_code)

    with pytest.raises(TaskAwaitingInput):
        ask(OTHER).execute_complete(context, given)
    assert asked_again == [7]
    assert ask(AREA).execute_complete(context, given)["person"] == "director"


def test_a_held_batch_is_asked_about_with_its_area() -> None:
    file = {"name": "s.csv", "read": 10, "quarantined": 4}
    receipt = {"batch_id": "b1", "area_code": AREA, "status": "held", "files": [file], "reasons": {"R_SUM_FUND": 4}}
    [question] = intake.list_held_batches.function([{"receipts": [receipt], "failures": {}}])
    assert (question["about"], question["area_code"]) == ("b1", AREA)


def test_a_rejection_without_a_reason_does_not_count() -> None:
    assert "without a reason" in str(objection_to(answer(option="reject"), AREA, set(), set()))
    assert objection_to(answer(option="reject", reason="请核对"), AREA, set(), set()) is None


def test_a_setting_lists_accounts_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_APPROVERS", " wang, li,,")
    assert accounts_named_by("SETTLEMENT_APPROVERS") == {"wang", "li"}
    monkeypatch.delenv("SETTLEMENT_APPROVERS")
    assert accounts_named_by("SETTLEMENT_APPROVERS") == set()


def test_what_is_asked_about_reaches_each_question_of_a_group() -> None:
    assert {"subject", "body", "about", "area_code", "caused_by"} <= set(QuestionOperator.template_fields)


def test_the_local_senders_account_answers_nothing_and_the_local_operator_approves_nothing() -> None:
    assert {*APPROVERS, *RELEASERS} <= set(AIRFLOW_ROLES)
    assert "platform" not in {*APPROVERS, *RELEASERS}
    assert "operator" not in APPROVERS
    assert "approver" not in RELEASERS
