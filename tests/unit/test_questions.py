"""Whose answers count: never those of who caused the question, of strangers, of other areas, or without a reason."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput
from tests.fixtures.runs import run_as

from settlement.errors import SettlementError
from settlement.intake.batches import Held, Known
from settlement.intake.receipts import Receipt
from settlement.local.credentials import AIRFLOW_ROLES, APPROVERS, RELEASERS
from settlement.tasks import intake, people
from settlement.tasks.people import Answer, Question, QuestionOperator, accounts_named_by, objection_to

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


class AskingOperator(QuestionOperator):
    """Asks about what the test knows, and keeps what is recorded."""

    known: ClassVar[dict[str, Question]] = {}
    recorded: ClassVar[list[tuple[str, str, str]]] = []

    def question_about(self, about: str) -> Question | None:
        return self.known.get(about)

    def record(self, question: Question, answer: Answer) -> dict[str, object]:
        self.recorded.append((question.about, answer["option"], answer["person"]))
        return {"about": question.about}


def question(about: str = "R1", area_code: str = AREA, digest: str = "d1", caused_by: str = "platform") -> Question:
    return Question(about, area_code, subject=f"{about}?", body="for what", caused_by=caused_by, digest=digest)


class Airflow:
    """What Airflow keeps of one question: it never replaces the words of one that stands already."""

    def __init__(self) -> None:
        self.stored: tuple[str, str | None] | None = None
        self.written = 0

    def write(self, asked: Any) -> tuple[str, str | None]:
        self.written += 1
        self.stored = self.stored or (asked.subject, asked.body)
        return self.stored


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Airflow:
    kept = Airflow()
    monkeypatch.setattr(people, "write_question", kept.write)
    AskingOperator.known = {"R1": question()}
    AskingOperator.recorded = []
    return kept


CONTEXT: Any = {
    "dag_run": SimpleNamespace(triggering_user_name="starter", conf={}),
    "task_instance": SimpleNamespace(id=UUID(int=7)),
}
ASKED = people.Asked(about="R1", digest="d1")


def asking(about: str = "R1", **arguments: Any) -> AskingOperator:
    return AskingOperator(task_id="ask", options=["approve", "reject"], about=about, **arguments)


def given(person: str | None = "director", option: str = "approve") -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {"reason": ""},
        "responded_by_user": {"id": "2", "name": person} if person else None,
        "responded_at": datetime(2026, 3, 3, tzinfo=UTC),
        "timedout": False,
    }


def test_the_task_that_asks_records_the_answer_of_whom_airflow_names(airflow: Airflow) -> None:
    with pytest.raises(TaskAwaitingInput) as waiting:
        asking().execute(CONTEXT)
    assert waiting.value.kwargs == {"asked": ASKED}
    asking().take_answer(CONTEXT, given(), ASKED)
    assert AskingOperator.recorded == [("R1", "approve", "director")]


def test_the_answer_is_about_what_was_asked_whatever_the_id_says_by_then(airflow: Airflow) -> None:
    AskingOperator.known["R2"] = question("R2")
    asking("R2").take_answer(CONTEXT, given(), ASKED)
    assert AskingOperator.recorded == [("R1", "approve", "director")]


def test_a_task_that_shows_one_thing_asks_about_no_other(airflow: Airflow) -> None:
    """A task that is cleared keeps its words; its id may have been changed over the API meanwhile."""
    AskingOperator.known["R2"] = question("R2")
    with pytest.raises(TaskAwaitingInput):
        asking("R1").execute(CONTEXT)
    assert asking("R2").execute(CONTEXT) == {"about": "R2"}


def test_who_caused_it_and_whose_area_it_is_comes_from_the_warehouse(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", f'{{"stranger": ["{OTHER}"]}}')
    for person in ("starter", "platform", "stranger", None):
        with pytest.raises(TaskAwaitingInput) as waiting:
            asking().take_answer(CONTEXT, given(person), ASKED)
        assert waiting.value.kwargs == {"asked": ASKED}
    assert airflow.written == 4
    assert AskingOperator.recorded == []


def test_what_was_decided_elsewhere_ends_the_question_well(airflow: Airflow) -> None:
    AskingOperator.known = {}
    assert asking().take_answer(CONTEXT, given(), ASKED) == {"about": "R1"}
    assert asking().execute(CONTEXT) == {"about": "R1"}
    assert AskingOperator.recorded == []


def test_an_answer_to_what_is_no_longer_there_counts_for_nothing(airflow: Airflow) -> None:
    AskingOperator.known = {"R1": question(digest="other lines")}
    assert asking().take_answer(CONTEXT, given(), ASKED) == {"about": "R1"}
    assert AskingOperator.recorded == []


def test_a_question_that_nobody_answers_in_time_ends_well(airflow: Airflow) -> None:
    lapsed = {"error": "The Human-in-the-loop response timeout has passed.", "error_type": "timeout"}
    assert asking().take_answer(CONTEXT, lapsed, ASKED) == {"about": "R1"}
    assert AskingOperator.recorded == []


def test_only_a_question_that_the_next_run_repeats_lapses(airflow: Airflow) -> None:
    for lapses in (True, False):
        with pytest.raises(TaskAwaitingInput) as waiting:
            asking(lapses=lapses).execute(CONTEXT)
        assert (waiting.value.timeout is not None) is lapses


@pytest.mark.parametrize(
    ("now", "setting", "hours"),
    [("06:00", "", 17), ("22:00", "", 1), ("22:00:01", "", 25 - 1 / 3600), ("06:00", "18:30", 12.5)],
)
def test_questions_lapse_at_the_end_of_the_day_and_not_within_the_hour(
    monkeypatch: pytest.MonkeyPatch, now: str, setting: str, hours: float
) -> None:
    monkeypatch.setenv("SETTLEMENT_QUESTIONS_LAPSE_AT", setting)
    day = datetime.fromisoformat(f"2026-03-03T{now}").replace(tzinfo=people.SHANGHAI)
    assert people.time_to_answer(day).total_seconds() == round(hours * 3600)


def test_a_time_that_is_none_fails_the_question_at_once(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_QUESTIONS_LAPSE_AT", "at night")
    with pytest.raises(AirflowFailException, match="setting_invalid"):
        asking(lapses=True).execute(CONTEXT)
    assert airflow.written == 0


def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_QUESTIONS_LAPSE_AT", "at night")
    with pytest.raises(SettlementError, match="no time of day"):
        people.time_to_answer(datetime(2026, 3, 3, tzinfo=people.SHANGHAI))


def test_a_held_batch_is_asked_about_with_its_area(monkeypatch: pytest.MonkeyPatch) -> None:
    run_as(monkeypatch)
    file = {"name": "s.csv", "read": 10, "quarantined": 4}
    receipt = {"batch_id": "b1", "area_code": AREA, "status": "held", "files": [file], "reasons": {"R_SUM_FUND": 4}}
    assert intake.list_held_batches.function([{"receipts": [receipt], "failures": {}}]) == ["b1"]
    held = Held(("rejections",))
    known = Known(
        "held",
        None,
        "sha256 of its content",
        Receipt.from_json({"kind": "settlement", "business_date": None} | receipt),
        "sender",
        held,
    )
    asked = intake._question(known)
    assert (asked.about, asked.area_code, asked.caused_by) == ("b1", AREA, "sender")
    assert asked.digest == f"sha256 of its content {held.digest}"
    assert "4 of 10 rows" in asked.body


@pytest.mark.parametrize(("account", "hour", "asked"), [(None, 0, ["b9"]), (None, 1, []), ("operator", 0, [])])
def test_the_first_scheduled_run_of_a_day_asks_again_about_what_is_held(
    monkeypatch: pytest.MonkeyPatch, account: str | None, hour: int, asked: list[str]
) -> None:
    run_as(monkeypatch, account=account, run_after=datetime(2026, 3, 2, 16 + hour, 0, tzinfo=UTC))
    monkeypatch.setattr(intake, "_all_held", lambda: ["b9"])
    assert intake.list_held_batches.function([]) == asked


def test_a_rejection_without_a_reason_does_not_count() -> None:
    assert "without a reason" in str(objection_to(answer(option="reject"), AREA, set(), set()))
    assert objection_to(answer(option="reject", reason="请核对"), AREA, set(), set()) is None


def test_a_setting_lists_accounts_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_APPROVERS", " wang, li,,")
    assert accounts_named_by("SETTLEMENT_APPROVERS") == {"wang", "li"}
    monkeypatch.delenv("SETTLEMENT_APPROVERS")
    assert accounts_named_by("SETTLEMENT_APPROVERS") == set()


def test_nobody_and_nothing_is_no_answer() -> None:
    assert "no account answered" in str(objection_to(answer(people.NOBODY), AREA, set(), set()))
    assert "chose nothing" in str(objection_to(answer(option=""), AREA, set(), set()))


def test_the_local_senders_account_answers_nothing_and_the_local_operator_approves_nothing() -> None:
    assert {*APPROVERS, *RELEASERS} <= set(AIRFLOW_ROLES)
    assert "platform" not in {*APPROVERS, *RELEASERS}
    assert "operator" not in APPROVERS
    assert "approver" not in RELEASERS
