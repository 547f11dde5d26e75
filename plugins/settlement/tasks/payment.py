"""Steps of `settle_day` after its check: propose, post, request, pay what is approved, publish, ask about the rest.

Every step reads what it settles from the run itself, which nobody can change once it exists, and judges it again; what
is done already it reads from the warehouse. So running it again, alone or beside another run, repeats nothing, and
what is handed on between steps (which Airflow's API lets some accounts edit) decides nothing: it is only told in the
end. What fails in one area or request is left to the last step, which fails for it: the others are paid meanwhile.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, TypedDict
from uuid import UUID

from airflow.sdk import get_current_context

from settlement.errors import SettlementError
from settlement.ledger.transactions import Failures
from settlement.tasks.checking import build_from_judged, failures_of_stopped_batches
from settlement.tasks.open_runs import refuse_too_many_runs
from settlement.tasks.parameters import (
    conf_of_run,
    day_of_run,
    refuse_unknown_keys,
    require_area_of_run,
    triggered_by,
)
from settlement.tasks.people import Answer, Question, QuestionOperator
from settlement.tasks.run_notes import write_note
from settlement.tasks.sealing import seal_and_publish
from settlement.tasks.step import PASSING_FAULTS, step
from settlement.user_kinds import require_divided_duties

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PaymentRun:
    """What a run settles: dates before `pay_date`, in `area_code` or, where it is None, in every area."""

    pay_date: date
    area_code: str | None
    triggered_by: str

    @property
    def settings(self) -> dict[str, str]:
        """Give the run's parameters as the models read them."""
        return {"pay_date": self.pay_date.isoformat(), "area_code": self.area_code or ""}


class Posted(TypedDict):
    """The count of new entries by event, and what went wrong by area."""

    counts: dict[str, int]
    failures: dict[str, str]


class Requested(TypedDict):
    """What went wrong by area."""

    failures: dict[str, str]


class Answered(TypedDict):
    """The request that was asked about, its decision or none, and what went wrong when that was recorded."""

    about: str
    decision: str
    failures: dict[str, str]


class Disbursed(TypedDict):
    """What was put on its way, and what went wrong by request."""

    disbursements: list[dict[str, Any]]
    failures: dict[str, str]


def this_run() -> PaymentRun:
    """Read from the run what it settles; without `pay_date` it is the day the run was planned for.

    Raises:
        SettlementError: ``unknown_parameter``; ``parameter_invalid``; ``not_a_working_day``, or ``unpublished_year``:
            payments are made on official working days; ``pay_date_too_far`` after what was accepted, or after the
            day of the run; ``area_not_allowed``: who started the run may not settle that area, or not every area;
            ``duties_not_divided``: who started the run may also deliver the bank's answers.
    """
    from settlement.payments.pay_dates import refuse_far_pay_date, refuse_pay_date_ahead
    from settlement.working_days import is_working_day, next_working_day

    refuse_unknown_keys(["pay_date", "area_code"])
    conf = conf_of_run()
    area_code = conf.get("area_code") or None
    require_area_of_run(area_code)
    require_divided_duties(triggered_by())
    pay_date = _date(conf["pay_date"]) if conf.get("pay_date") else day_of_run()
    if not is_working_day(pay_date):
        raise SettlementError(
            "not_a_working_day",
            f"{pay_date} is no working day, so nothing can be paid on it (非工作日)",
            f"run it for {next_working_day(pay_date)}, which settles the same business dates",
        )
    refuse_pay_date_ahead(pay_date, day_of_run())
    refuse_far_pay_date(pay_date, area_code)
    return PaymentRun(pay_date=pay_date, area_code=area_code, triggered_by=triggered_by())


def _date(text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise SettlementError(
            "parameter_invalid", f"pay_date {text!r} is no date (日期格式有误)", "write it like 2026-03-02"
        ) from error


def _told(failures: Failures) -> dict[str, str]:
    """Put failures in words, to be passed on to the last step."""
    return {str(key): str(failure) for key, failure in failures.items()}


def _raise_where_nothing_is_left_to_do(run: PaymentRun, failures: Failures) -> None:
    """Fail at once in a run for one area: nobody else waits for its later steps."""
    if run.area_code:
        for failure in failures.values():
            raise failure


@contextmanager
def _proposals_standing_still() -> Iterator[None]:
    """Keep every other run from proposing, posting or requesting while the block runs.

    A run proposes anew for its pay date what another has proposed for its own. What one has proposed anew must stand
    until it is requested, and nothing may be proposed from books that are just being written.
    """
    from settlement.warehouse.locks import session_lock

    with session_lock("poster", "proposals"):
        yield


@step(task_id="resolve_pay_date")
def resolve_pay_date() -> dict[str, str]:
    """Refuse what cannot be settled before anything is done. Returns what the run settles, for people to read.

    Raises:
        SettlementError: Those of `this_run`; ``too_many_runs``, where the account has too many of them open.
    """
    run = this_run()
    refuse_too_many_runs()
    return {**run.settings, "triggered_by": run.triggered_by}


@step(task_id="propose_entries_and_payments", pool="warehouse")
def propose_entries_and_payments() -> int:
    """Compute the entries, findings and payments that should exist. Returns the count of models and tests.

    What was accepted while they were computed is judged before it can be booked, and left out if it does not hold.
    """
    from settlement.warehouse import dbt

    run = this_run()

    def propose() -> int:
        return dbt.build("tag:proposal", run.settings).node_count

    with _proposals_standing_still():
        return build_from_judged(propose, started_by=run.triggered_by)


@step(task_id="post_entries", pool="posting")
def post_entries() -> Posted:
    """Post what is proposed and not yet in the books. Returns the count of entries by event, and the areas that failed.

    Where a run is for every area, one that fails leaves the others to go on: the last step fails for it.
    """
    run = this_run()
    failures: Failures = {}
    with _proposals_standing_still():
        counts = _post(run, failures)
    _raise_where_nothing_is_left_to_do(run, failures)
    return Posted(counts=counts, failures=_told(failures))


def _post(run: PaymentRun, failures: Failures) -> dict[str, int]:
    from settlement.ledger.proposals import post_proposed_entries

    return post_proposed_entries(area_code=run.area_code, posted_by=run.triggered_by, failures=failures)


def _areas_out_of_the_books(run: PaymentRun, failures: Failures) -> list[str]:
    """Give the areas whose entries cannot be posted: what they are due is not certain, so they are left out.

    What another run has proposed since this one posted is posted here; `failures` takes why that was not possible.
    """
    from settlement.ledger.unposted import areas_with_unposted_entries

    if not areas_with_unposted_entries(run.area_code):
        return []
    _post(run, failures)
    return areas_with_unposted_entries(run.area_code)


@step(task_id="request_payments", pool="posting")
def request_payments() -> Requested:
    """Request what is due, once per area, fund and pay date, in every area whose entries are in the books."""
    run = this_run()
    unposted: Failures = {}
    with _proposals_standing_still():
        without = _areas_out_of_the_books(run, unposted)
        failures = _request(run, without)
        if any(failure.code == "proposal_outdated" for failure in failures.values()):
            log.info("what is due has changed since it was proposed: it is proposed again")
            _propose_payments(run)
            failures = _request(run, without)
    failures |= unposted
    _raise_where_nothing_is_left_to_do(run, failures)
    return Requested(failures=_told(failures))


def _request(run: PaymentRun, without: Sequence[str]) -> Failures:
    from settlement.payments import requests

    failures: Failures = {}
    requests.request_payments(
        pay_date=run.pay_date,
        area_code=run.area_code,
        triggered_by=run.triggered_by,
        without=without,
        failures=failures,
    )
    return failures


def _propose_payments(run: PaymentRun) -> None:
    """Propose anew. Meanwhile no receipt can change what is due: receipts are recorded in this same pool of one."""
    from settlement.warehouse import dbt

    dbt.build("int_suspensions_proposed int_payment_proposals", run.settings)


@step(task_id="disburse_approved_requests", pool="posting")
def disburse_approved_requests() -> Disbursed:
    """Pay what needs no answer: requests a rule approved, and what an interrupted run left. Nobody is waited for."""
    run = this_run()
    unposted: Failures = {}
    with _proposals_standing_still():
        without = _areas_out_of_the_books(run, unposted)
    disbursed = _disburse(run, without=without)
    return Disbursed(disbursements=disbursed["disbursements"], failures=_told(unposted) | disbursed["failures"])


@step(task_id="list_open_questions")
def list_open_questions() -> list[str]:
    """Give the requests to ask about: those nobody has decided on, of earlier pay dates included."""
    from settlement.ledger.unposted import areas_with_unposted_entries
    from settlement.payments.requests import undecided_requests

    run = this_run()
    without = areas_with_unposted_entries(run.area_code)
    undecided = undecided_requests(pay_date=run.pay_date, area_code=run.area_code, without=without)
    return [str(request.request_id) for request in undecided]


class ApprovalOperator(QuestionOperator):
    """Asks about one request, and records in the ledger what was answered, in the name of who answered."""

    def question_about(self, about: str) -> Question | None:
        """Put one request in words; None once it is decided, or where this run does not pay it."""
        from settlement.payments import questions

        run = this_run()
        found = questions.undecided_request(about, pay_date=run.pay_date, area_code=run.area_code)
        if found is None:
            return None
        request, lines = found
        return Question(
            about=str(request.request_id),
            area_code=request.area_code,
            subject=questions.subject(request),
            body=questions.describe(request, lines),
            caused_by=request.requested_by,
            digest=questions.digest(request, lines),
        )

    def record(self, question: Question, answer: Answer) -> Answered:
        """Record one decision; one that another answer was faster with is no failure."""
        from settlement.payments.approval import decide_request

        decision = "approved" if answer["option"] == "approve" else "rejected"
        failures: Failures = {}
        try:
            decide_request(question.about, decision=decision, decided_by=answer["person"], reason=answer["reason"])
        except SettlementError as error:
            if error.code in PASSING_FAULTS:
                raise
            if error.code == "already_decided":
                log.warning("%s", error)
                return self.settled(question.about)
            log.error("%s", error)
            failures[question.about] = error
        return Answered(about=question.about, decision=decision, failures=_told(failures))

    def settled(self, about: str) -> Answered:
        """Give the result of a question that nobody's answer was recorded for."""
        return Answered(about=about, decision="", failures={})


@step(task_id="disburse_answered_request", pool="posting", map_index_template="{{ about }}")
def disburse_answered_request(answered: Answered) -> Disbursed:
    """Pay the one request that was asked about if the ledger says that it is approved, without waiting for others."""
    get_current_context()["about"] = answered["about"]  # type: ignore[typeddict-unknown-key]  # names the mapped task
    disbursed = _disburse(this_run(), request_id=UUID(answered["about"]))
    return Disbursed(
        disbursements=disbursed["disbursements"], failures={**answered["failures"], **disbursed["failures"]}
    )


def _disburse(run: PaymentRun, *, request_id: UUID | None = None, without: Sequence[str] = ()) -> Disbursed:
    """Instruct, post and write bank files; what fails is left to the last step."""
    from settlement.payments.instructions import disburse_approved

    failures: Failures = {}
    made = disburse_approved(
        pay_date=run.pay_date,
        area_code=run.area_code,
        posted_by=run.triggered_by,
        request_id=request_id,
        without=without,
        failures=failures,
    )
    return Disbursed(disbursements=[asdict(disbursement) for disbursement in made], failures=_told(failures))


@step(task_id="publish", pool="warehouse")
def publish() -> int:
    """Bring the published tables up to date before anybody is asked. Returns the count of models and tests."""
    return _publish()


@step(task_id="publish_answers", pool="warehouse", trigger_rule="none_failed_min_one_success")
def publish_answers(answered: Sequence[Disbursed]) -> int:
    """Bring the published tables up to date with what was answered; skipped where nobody was asked."""
    return _publish()


def _publish() -> int:
    from settlement.warehouse import dbt

    seal_and_publish()
    return dbt.build("tag:publication", this_run().settings).node_count


@step(task_id="report_outcome", trigger_rule="none_failed")
def report_outcome(
    checked: dict[str, Any],
    posted: Posted,
    requested: Requested,
    disbursed: Disbursed,
    answered: Disbursed | Sequence[Disbursed] | None,
) -> str:
    """Write the run's note: rows checked, entries posted, money requested and instructed.

    Raises:
        SettlementError: ``run_incomplete``, for what failed in an area or a request, and for batches that are
            stopped, while the others were paid.
    """
    from settlement.payments.summary import summarise

    run = this_run()
    summary = summarise(pay_date=run.pay_date, area_code=run.area_code)
    entries = ", ".join(f"{count:,} {event}" for event, count in posted["counts"].items() if count) or "no new entries"
    text = f"pay date 拨付日 {run.pay_date}: {checked['summary']}; {entries}; {summary}"
    failures = _failures_of(posted, requested, disbursed, *_each(answered))
    failures |= failures_of_stopped_batches(run.area_code)
    write_note(f"{text}; FAILED 失败: {'; '.join(failures)}" if failures else text)
    if failures:
        raise SettlementError(
            "run_incomplete",
            "; ".join(f"{key}: {message}" for key, message in failures.items()),
            "all else was paid; mend what the messages name, then run this pay date again (其余已拨付, 修正后重跑)",
        )
    return text


def _each(answered: Disbursed | Sequence[Disbursed] | None) -> Sequence[Disbursed]:
    """Give what a mapped group returned as a list: Airflow hands on one result bare, and none as None."""
    if answered is None:
        return []
    return [answered] if isinstance(answered, dict) else answered


def _failures_of(*results: Posted | Requested | Disbursed) -> dict[str, str]:
    return {key: message for result in results for key, message in result["failures"].items()}
