"""Questions to people, answered on Airflow's Required Actions page or over its API.

Nothing that can be written over Airflow's API decides anything (docs/decisions/0029). A question names a thing by its
id; what is asked, whose area it is and who caused it come from the warehouse, when it is asked and again when it is
answered. What was asked travels in the arguments that the parked task is resumed with, which no public call writes,
and who answered is what Airflow itself kept of the call. The task that asked records the answer.
"""

import logging
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, TypedDict

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput
from airflow.sdk.execution_time.comms import CreateHITLDetailPayload

from settlement.errors import SettlementError
from settlement.tasks.parameters import SHANGHAI, caller_of_run
from settlement.tasks.step import PASSING_FAULTS, take_addresses_from_connections, time_of_a_step
from settlement.user_areas import require_area

log = logging.getLogger(__name__)

REJECT = "reject"
LAPSE_AT = "SETTLEMENT_QUESTIONS_LAPSE_AT"
LEAST_TIME_TO_ANSWER = timedelta(hours=1)
NOBODY = "nobody"


@dataclass(frozen=True)
class Question:
    """What is asked: about which batch or request of which area, in which words, and whose doing it is where known."""

    about: str
    area_code: str
    subject: str
    body: str
    caused_by: str
    digest: str = ""
    """Of what is decided on, so that an answer counts for nothing else."""
    answered_by: str = ""
    """The setting that names who may answer, where it is another one than the operator's."""


class Asked(TypedDict):
    """What a parked task is resumed with: the thing that was asked about, as it was then."""

    about: str
    digest: str


class Answer(TypedDict):
    """What somebody decided: about which batch or request, which option, who, and the reason typed beside it."""

    about: str
    option: str
    person: str
    reason: str


class QuestionOperator(HITLOperator):
    """Asks a person to choose one of `options` about one thing, with room for a reason, and records the answer.

    A subclass says what is asked about a thing (`question_about`) and what an answer does (`record`).

    An answer that does not count is set aside, the log says so, and the question stays open for another one: the
    answer of whoever triggered the run or caused what is asked about (发起人不得审批); of an account that the setting
    `answered_by` does not name, where it names any; of one that is bound to other areas; and a rejection without a
    reason. A question that is settled already, or that nobody answers in time, ends without one: neither is a failure.

    It is tried again, and so asks again, because an answer within the scheduler's next beat (a program's, no person is
    that fast) makes Airflow take the parked task for one that was killed.
    """

    template_fields = ("about",)

    def __init__(self, *, about: str = "", answered_by: str = "", lapses: bool = False, **kwargs: Any) -> None:
        reason = Param("", type="string", title="Reason 理由")
        again = {"retries": 3, "retry_delay": timedelta(seconds=2), "subject": "?"}
        super().__init__(**{**again, **kwargs, "params": {"reason": reason}})  # a mapped task brings the DAG's params
        self.execution_timeout = time_of_a_step()  # of asking or recording; Airflow takes an argument for the waiting
        self.about = about
        self.answered_by = answered_by
        self.lapses = lapses

    def question_about(self, about: str) -> Question | None:
        """Give the question to ask; None where nothing is left to ask."""
        raise NotImplementedError

    def record(self, question: Question, answer: Answer) -> Mapping[str, object]:
        """Do what was answered. Raises SettlementError where it cannot be done."""
        raise NotImplementedError

    def settled(self, about: str) -> Mapping[str, object]:
        """Give the task's result where no answer was recorded."""
        return {"about": about}

    def execute(self, context: Context) -> Any:
        """Ask, and wait for a person."""
        take_addresses_from_connections()
        question = _or_fail(lambda: self.question_about(self.about))
        if question is None:
            log.info("%s: nothing is left to ask", self.about)
            return self.settled(self.about)
        waiting = _or_fail(lambda: self._wait(Asked(about=question.about, digest=question.digest)))
        if not self._ask(context, question):
            return self.settled(self.about)
        raise waiting

    def take_answer(self, context: Context, event: dict[str, Any], asked: Asked) -> Any:
        """Record the answer, or ask again where it does not count."""
        take_addresses_from_connections()
        if event.get("error_type") == "timeout":
            log.warning("%s: nobody answered in time; the next run asks again (逾期未答复)", asked["about"])
            return self.settled(asked["about"])
        question = _or_fail(lambda: self.question_about(asked["about"]))
        if question is None:
            log.info("%s: it was decided elsewhere, and the first answer counts (以先答复者为准)", asked["about"])
            return self.settled(asked["about"])
        if question.digest != asked["digest"]:
            log.warning("%s: it is no longer what was asked about; the next run asks anew", asked["about"])
            return self.settled(asked["about"])
        answer = self._answer(context, event, question)
        involved = {caller_of_run(context["dag_run"]), question.caused_by}
        objection = objection_to(
            answer, question.area_code, involved, accounts_named_by(question.answered_by or self.answered_by)
        )
        if objection:
            self._ask_again(context, question, asked, objection)
        return _or_fail(lambda: self.record(question, answer))

    def _answer(self, context: Context, event: dict[str, Any], question: Question) -> Answer:
        given: Any = super().execute_complete(context, event)
        responder = given["responded_by_user"] or {}
        return Answer(
            about=question.about,
            option=given["chosen_options"][0] if given["chosen_options"] else "",
            person=str(responder.get("name") or responder.get("id") or NOBODY),
            reason=str(given["params_input"].get("reason") or "").strip(),
        )

    def _ask(self, context: Context, question: Question) -> bool:
        """Write the question where people see it. Says whether it stands there in these words.

        Airflow keeps the words of a question when its task is tried again, so a task that was cleared after its id had
        been changed would show one thing and ask about another.
        """
        stored = write_question(
            CreateHITLDetailPayload(
                ti_id=context["task_instance"].id,
                options=self.options,
                subject=question.subject,
                body=question.body,
                multiple=False,
                params=self.serialized_params,
                assigned_users=[],
            )
        )
        if stored == (question.subject, question.body):
            return True
        log.warning("%s: this task shows another question already; the next run asks anew", question.about)
        return False

    def _ask_again(self, context: Context, question: Question, asked: Asked, objection: str) -> None:
        """Clear the answer and park the task anew: writing the question a second time removes its answer."""
        log.warning("%s: the question stays open", objection)
        self._ask(context, question)
        raise self._wait(asked)

    def _wait(self, asked: Asked) -> TaskAwaitingInput:
        return TaskAwaitingInput(
            method_name="take_answer",
            kwargs={"asked": dict(asked)},
            timeout=time_to_answer(datetime.now(SHANGHAI)) if self.lapses else None,
        )


def write_question(question: CreateHITLDetailPayload) -> tuple[str, str | None]:
    """Let Airflow show a question, without an answer. Gives the subject and body that it shows."""
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    stored: Any = SUPERVISOR_COMMS.send(msg=question)
    return stored.subject, stored.body


def time_to_answer(now: datetime) -> timedelta:
    """Give the time until questions lapse: at SETTLEMENT_QUESTIONS_LAPSE_AT (HH:MM in Shanghai), in an hour at least.

    The clock decides only how long somebody is waited for: the money stays payable, and the next run asks again.
    """
    end = datetime.combine(now.date(), _lapse_at(), tzinfo=SHANGHAI)
    while end < now + LEAST_TIME_TO_ANSWER:
        end += timedelta(days=1)
    return end - now


def _lapse_at() -> time:
    text = os.environ.get(LAPSE_AT) or "23:00"
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise SettlementError(
            "setting_invalid", f"{LAPSE_AT} is {text!r}, which is no time of day (设置有误)", "write it like 23:00"
        ) from error


def _or_fail(do: Callable[[], Any]) -> Any:
    """Do it; an error that trying again does not help fails the task at once, as in every step."""
    try:
        return do()
    except SettlementError as error:
        log.error("%s", error)
        if error.code in PASSING_FAULTS:
            raise
        raise AirflowFailException(str(error)) from error


def objection_to(
    answer: Answer, area_code: str, involved: Collection[str | None], allowed: Collection[str]
) -> str | None:
    """Say why an answer does not count; None if it does.

    Args:
        answer: What was answered.
        area_code: The area whose batch or money it is about.
        involved: Who triggered the run, and who caused what is asked about.
        allowed: The accounts that may answer; nobody named means everybody whom Airflow lets answer.
    """
    person = answer["person"]
    if person == NOBODY:
        return "no account answered this; a person must (无答复人)"
    if person in involved:
        return f"{person} triggered this and cannot decide on it; another person must answer (发起人不得审批)"
    if allowed and person not in allowed:
        return f"{person} may not answer this; {', '.join(sorted(allowed))} may (无权答复)"
    try:
        require_area(person, area_code)
    except SettlementError as error:
        return f"{error} (统筹区权限不符或设置有误)"
    if not answer["option"]:
        return f"{person} chose nothing (未作选择)"
    if answer["option"] == REJECT and not answer["reason"]:
        return f"{person} rejects without a reason; say why (退回须填写理由)"
    return None


def accounts_named_by(setting: str) -> set[str]:
    """Give the accounts that an environment variable lists, separated by commas."""
    listed = os.environ.get(setting, "") if setting else ""
    return {account.strip() for account in listed.split(",") if account.strip()}
