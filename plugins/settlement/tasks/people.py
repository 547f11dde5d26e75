"""Questions to people, answered on Airflow's Required Actions page or over its API."""

import logging
from datetime import timedelta
from typing import Any, TypedDict

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time.hitl import upsert_hitl_detail

log = logging.getLogger(__name__)


class Answer(TypedDict):
    """What somebody decided: about which batch or request, which option, who, and the reason typed beside it."""

    about: str
    option: str
    person: str
    reason: str


class QuestionOperator(HITLOperator):
    """Asks a person to choose one of `options` about one thing, with room for a reason.

    With `four_eyes` the answer of whoever triggered the run does not count (发起人不得审批): it is set aside, the log
    says so, and the question stays open for somebody else. The database refuses such an answer once more when the
    decision is recorded.

    It is tried again, and so asks again, because an answer within the scheduler's next beat (a program's, no person is
    that fast) makes Airflow take the parked task for one that was killed.
    """

    def __init__(self, *, about: str = "", four_eyes: bool = False, **kwargs: Any) -> None:
        reason = Param("", type="string", title="Reason 理由")
        again = {"retries": 3, "retry_delay": timedelta(seconds=2)}
        super().__init__(**{**again, **kwargs, "params": {"reason": reason}})  # a mapped task brings the DAG's params
        self.about = about
        self.four_eyes = four_eyes

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Answer:
        """Take the answer, or ask again where it does not count."""
        answer: Any = super().execute_complete(context, event)
        responder = answer["responded_by_user"] or {}
        person = str(responder.get("name") or responder.get("id") or "nobody")
        if self.four_eyes and person == getattr(context["dag_run"], "triggering_user_name", None):
            self._ask_again(context, person)
        return Answer(
            about=self.about,
            option=answer["chosen_options"][0],
            person=person,
            reason=str(answer["params_input"].get("reason") or ""),
        )

    def _ask_again(self, context: Context, person: str) -> None:
        """Clear the answer and park the task anew: writing the question a second time removes its answer."""
        log.warning("%s triggered this run and cannot decide on it; another person must answer", person)
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
