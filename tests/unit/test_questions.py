"""Whose answers count: never those of who caused the question, of strangers, or a rejection without a reason."""

import pytest

from settlement.local.credentials import AIRFLOW_ROLES, APPROVERS, RELEASERS
from settlement.tasks.people import Answer, QuestionOperator, accounts_named_by, objection_to


def answer(person: str = "director", option: str = "approve", reason: str = "") -> Answer:
    return Answer(about="R1", option=option, person=person, reason=reason)


def test_an_answer_of_somebody_else_counts() -> None:
    assert objection_to(answer(), {"platform", ""}, set()) is None
    assert objection_to(answer(), {None}, {"director", "admin"}) is None


@pytest.mark.parametrize("involved", [{"director", ""}, {"platform", "director"}])
def test_who_triggered_the_run_or_made_the_request_cannot_answer(involved: set[str]) -> None:
    assert "another person must answer" in str(objection_to(answer(), involved, {"director"}))


def test_where_accounts_are_named_only_those_may_answer() -> None:
    assert "operator may not answer this; admin, director may" in str(
        objection_to(answer("operator"), set(), {"director", "admin"})
    )


def test_a_rejection_without_a_reason_does_not_count() -> None:
    assert "without a reason" in str(objection_to(answer(option="reject"), set(), set()))
    assert objection_to(answer(option="reject", reason="请核对"), set(), set()) is None


def test_a_setting_lists_accounts_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_APPROVERS", " wang, li,,")
    assert accounts_named_by("SETTLEMENT_APPROVERS") == {"wang", "li"}
    monkeypatch.delenv("SETTLEMENT_APPROVERS")
    assert accounts_named_by("SETTLEMENT_APPROVERS") == set()


def test_what_is_asked_about_reaches_each_question_of_a_group() -> None:
    assert {"subject", "body", "about", "caused_by"} <= set(QuestionOperator.template_fields)


def test_the_local_senders_account_answers_nothing_and_the_local_operator_approves_nothing() -> None:
    assert {*APPROVERS, *RELEASERS} <= set(AIRFLOW_ROLES)
    assert "platform" not in {*APPROVERS, *RELEASERS}
    assert "operator" not in APPROVERS
    assert "approver" not in RELEASERS
