"""Questions to people, answered on Airflow's Required Actions page or over its API."""

import logging
import os
from collections.abc import Collection
from datetime import timedelta
from typing import Any, TypedDict

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time.hitl import upsert_hitl_detail

from settlement.errors import SettlementError
from settlement.tasks.parameters import caller_of_run
from settlement.user_areas import require_area

log = logging.getLogger(__name__)

REJECT = "reject"


class Question(TypedDict):
    """What is asked: about which batch or request of which area, in which words, and whose doing it is where known."""

    about: str
    area_code: str
    subject: str
    body: str
    caused_by: str


class Answer(TypedDict):
    """What somebody decided: about which batch or request, which option, who, and the reason typed beside it."""

    about: str
    option: str
    person: str
    reason: str


class QuestionOperator(HITLOperator):
    """Asks a person to choose one of `options` about one thing, with room for a reason.

    An answer that does not count is set aside, the log says so, and the question stays open for another one: the
    answer of whoever triggered the run or caused what is asked about (发起人不得审批); of an account that the setting
    `answered_by` does not name, where it names any; of one that is bound to other areas; and a rejection without a
    reason.

    It is tried again, and so asks again, because an answer within the scheduler's next beat (a program's, no person is
    that fast) makes Airflow take the parked task for one that was killed.
    """

    template_fields = (*HITLOperator.template_fields, "about", "area_code", "caused_by")

    def __init__(
        self, *, about: str = "", area_code: str = "", caused_by: str = "", answered_by: str = "", **kwargs: Any
    ) -> None:
        reason = Param("", type="string", title="Reason 理由")
        again = {"retries": 3, "retry_delay": timedelta(seconds=2)}
        super().__init__(**{**again, **kwargs, "params": {"reason": reason}})  # a mapped task brings the DAG's params
        self.about = about
        self.area_code = area_code
        self.caused_by = caused_by
        self.answered_by = answered_by

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Answer:
        """Take the answer, or ask again where it does not count."""
        given: Any = super().execute_complete(context, event)
        responder = given["responded_by_user"] or {}
        answer = Answer(
            about=self.about,
            option=given["chosen_options"][0],
            person=str(responder.get("name") or responder.get("id") or "nobody"),
            reason=str(given["params_input"].get("reason") or "").strip(),
        )
        involved = {caller_of_run(context["dag_run"]), self.caused_by}
        objection = objection_to(answer, self.area_code, involved, accounts_named_by(self.answered_by))
        if objection:
            self._ask_again(context, objection)
        return answer

    def _ask_again(self, context: Context, objection: str) -> None:
        """Clear the answer and park the task anew: writing the question a second time removes its answer."""
        log.warning("%s: the question stays open", objection)
        upsert_hitl_detail(
            ti_id=context["task_instance"].id,
            options=self.options,
            subject=self.subject,
            body=self.body,
            defaults=self.defaults,
            multiple=self.multiple,
            params=self.serialized_params,
            assigned_users=self.assigned_users,
        )
        raise TaskAwaitingInput(method_name="execute_complete", timeout=self.response_timeout)


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
    if person in involved:
        return f"{person} triggered this and cannot decide on it; another person must answer (发起人不得审批)"
    if allowed and person not in allowed:
        return f"{person} may not answer this; {', '.join(sorted(allowed))} may (无权答复)"
    try:
        require_area(person, area_code)
    except SettlementError as error:
        return f"{error} (统筹区权限不符或设置有误)"
    if answer["option"] == REJECT and not answer["reason"]:
        return f"{person} rejects without a reason; say why (退回须填写理由)"
    return None


def accounts_named_by(setting: str) -> set[str]:
    """Give the accounts that an environment variable lists, separated by commas."""
    listed = os.environ.get(setting, "") if setting else ""
    return {account.strip() for account in listed.split(",") if account.strip()}
