"""Steps of `settle_day` after its check: propose, post, request, pay what is approved, ask about the rest, publish.

Every step reads what it needs from the warehouse by (pay date, area), so that running it again, alone or beside
another run, repeats nothing. What fails in one area or request is handed on to the last step, which fails for it:
the others are paid meanwhile.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, TypedDict
from uuid import UUID

from airflow.sdk import get_current_context

from settlement.errors import SettlementError
from settlement.ledger.transactions import Failures
from settlement.tasks.checking import build_from_judged, failures_of_stopped_batches
from settlement.tasks.parameters import day_of_run, refuse_unknown_keys, require_area_of_run, triggered_by
from settlement.tasks.people import Answer, Question
from settlement.tasks.run_notes import write_note
from settlement.tasks.step import PASSING_FAULTS, step
from settlement.user_kinds import require_divided_duties

log = logging.getLogger(__name__)


class PaymentRun(TypedDict):
    """What a run settles: dates before `pay_date` (ISO), in `area_code` or, where empty, in every area."""

    pay_date: str
    area_code: str
    triggered_by: str


class Posted(TypedDict):
    """The count of new entries by event, and what went wrong by area."""

    counts: dict[str, int]
    failures: dict[str, str]


class Requested(TypedDict):
    """What went wrong by area."""

    failures: dict[str, str]


class Decided(TypedDict):
    """The request that was answered, and what went wrong when the answer was recorded."""

    request_id: str
    failures: dict[str, str]


class Disbursed(TypedDict):
    """What was put on its way, and what went wrong by request."""

    disbursements: list[dict[str, Any]]
    failures: dict[str, str]


def _told(failures: Failures) -> dict[str, str]:
    """Put failures in words, to be passed on to the last step."""
    return {str(key): str(failure) for key, failure in failures.items()}


def _raise_where_nothing_is_left_to_do(run: PaymentRun, failures: Failures) -> None:
    """Fail at once in a run for one area: nobody else waits for its later steps."""
    if run["area_code"]:
        for failure in failures.values():
            raise failure


@step(task_id="resolve_pay_date")
def resolve_pay_date() -> PaymentRun:
    """Read the parameters; without `pay_date` it is the day the run was planned for.

    Raises:
        SettlementError: ``not_a_working_day``, or ``unpublished_year``: payments are made on official working days;
            ``pay_date_too_far`` after what was accepted;
            ``area_not_allowed``: who started the run may not settle that area, or not every area;
            ``duties_not_divided``: who started the run may also deliver the bank's answers.
    """
    from settlement.payments.pay_dates import refuse_far_pay_date
    from settlement.working_days import is_working_day, next_working_day

    refuse_unknown_keys(["pay_date", "area_code"])
    params = get_current_context()["params"]
    require_area_of_run(params["area_code"])
    require_divided_duties(triggered_by())
    pay_date = date.fromisoformat(params["pay_date"]) if params["pay_date"] else day_of_run()
    if not is_working_day(pay_date):
        raise SettlementError(
            "not_a_working_day",
            f"{pay_date} is no working day, so nothing can be paid on it (非工作日)",
            f"run it for {next_working_day(pay_date)}, which settles the same business dates",
        )
    refuse_far_pay_date(pay_date, params["area_code"] or None)
    return PaymentRun(pay_date=pay_date.isoformat(), area_code=params["area_code"] or "", triggered_by=triggered_by())


def _settings(run: PaymentRun) -> dict[str, str]:
    return {"pay_date": run["pay_date"], "area_code": run["area_code"]}


@step(task_id="propose_entries_and_payments", pool="warehouse")
def propose_entries_and_payments(run: PaymentRun) -> int:
    """Compute the entries, findings and payments that should exist. Returns the count of models and tests.

    What was accepted while they were computed is judged before it can be booked, and left out if it does not hold.
    """
    from settlement.warehouse import dbt

    def propose() -> int:
        return dbt.build("tag:proposal", _settings(run)).node_count

    return build_from_judged(propose, started_by=run["triggered_by"])


@step(task_id="post_entries", pool="posting")
def post_entries(run: PaymentRun) -> Posted:
    """Post what is proposed and not yet in the books. Returns the count of entries by event, and the areas that failed.

    Where a run is for every area, one that fails leaves the others to go on: the last step fails for it.
    """
    from settlement.ledger.proposals import post_proposed_entries

    failures: Failures = {}
    counts = post_proposed_entries(area_code=run["area_code"] or None, posted_by=run["triggered_by"], failures=failures)
    _raise_where_nothing_is_left_to_do(run, failures)
    return Posted(counts=counts, failures=_told(failures))


@step(task_id="request_payments", pool="posting")
def request_payments(run: PaymentRun, posted: Posted) -> Requested:
    """Request what is due, once per area, fund and pay date, in every area whose entries are in the books."""
    failures = _request(run, posted)
    if any(failure.code == "proposal_outdated" for failure in failures.values()):
        log.info("what is due has changed since it was proposed: it is proposed again")
        _propose_payments(run)
        failures = _request(run, posted)
    _raise_where_nothing_is_left_to_do(run, failures)
    return Requested(failures=_told(failures))


def _request(run: PaymentRun, posted: Posted) -> Failures:
    from settlement.payments import requests

    failures: Failures = {}
    requests.request_payments(
        pay_date=date.fromisoformat(run["pay_date"]),
        area_code=run["area_code"] or None,
        triggered_by=run["triggered_by"],
        without=list(posted["failures"]),
        failures=failures,
    )
    return failures


def _propose_payments(run: PaymentRun) -> None:
    """Propose anew. Meanwhile no receipt can change what is due: receipts are recorded in this same pool of one."""
    from settlement.warehouse import dbt

    dbt.build("int_payment_proposals", _settings(run))


@step(task_id="disburse_approved_requests", pool="posting")
def disburse_approved_requests(run: PaymentRun, posted: Posted) -> Disbursed:
    """Pay what needs no answer: requests a rule approved, and what an interrupted run left. Nobody is waited for."""
    return _disburse(run, without=list(posted["failures"]))


@step(task_id="list_open_questions")
def list_open_questions(run: PaymentRun, posted: Posted) -> list[Question]:
    """Give the question to ask about each request that nobody has decided on, those of earlier pay dates included."""
    from settlement.payments.requests import undecided_requests

    undecided = undecided_requests(
        pay_date=date.fromisoformat(run["pay_date"]),
        area_code=run["area_code"] or None,
        without=list(posted["failures"]),
    )
    return [_question(request) for request in undecided]


def _question(request: Any) -> Question:
    """Put one request in words: who is paid how much, and why a rule could not approve it."""
    return Question(
        about=str(request.request_id),
        area_code=request.area_code,
        subject=f"Approve payment 审批拨付 {request.area_code} {request.fund_pay_type} {request.total_amount:,.2f}?",
        body=request.describe(),
        caused_by=request.requested_by,
    )


@step(task_id="record_answer", pool="posting", map_index_template="{{ about }}")
def record_answer(answer: Answer) -> Decided:
    """Record one decision on a request, in the name of who answered."""
    from settlement.payments.approval import decide_request

    get_current_context()["about"] = answer["about"]  # type: ignore[typeddict-unknown-key]  # names the mapped task
    decision = "approved" if answer["option"] == "approve" else "rejected"
    failures: Failures = {}
    try:
        decide_request(answer["about"], decision=decision, decided_by=answer["person"], reason=answer["reason"])
    except SettlementError as error:
        if error.code in PASSING_FAULTS:
            raise
        log.error("%s", error)
        failures[answer["about"]] = error
    return Decided(request_id=answer["about"], failures=_told(failures))


@step(task_id="disburse_answered_request", pool="posting", map_index_template="{{ about }}")
def disburse_answered_request(run: PaymentRun, decided: Decided) -> Disbursed:
    """Pay the one request that was answered, if the answer is yes, without waiting for other answers."""
    get_current_context()["about"] = decided["request_id"]  # type: ignore[typeddict-unknown-key]
    disbursed = _disburse(run, request_id=UUID(decided["request_id"]))
    return Disbursed(
        disbursements=disbursed["disbursements"], failures={**decided["failures"], **disbursed["failures"]}
    )


def _disburse(run: PaymentRun, *, request_id: UUID | None = None, without: Sequence[str] = ()) -> Disbursed:
    """Instruct, post and write bank files; what fails is left to the last step."""
    from settlement.payments.instructions import disburse_approved

    failures: Failures = {}
    made = disburse_approved(
        pay_date=date.fromisoformat(run["pay_date"]),
        area_code=run["area_code"] or None,
        posted_by=run["triggered_by"],
        request_id=request_id,
        without=without,
        failures=failures,
    )
    return Disbursed(disbursements=[asdict(disbursement) for disbursement in made], failures=_told(failures))


@step(task_id="publish", pool="warehouse", trigger_rule="none_failed")
def publish(run: PaymentRun) -> int:
    """Bring the published tables up to date. Returns the count of models and tests."""
    from settlement.warehouse import dbt

    return dbt.build("tag:publication", _settings(run)).node_count


@step(task_id="report_outcome", trigger_rule="none_failed")
def report_outcome(
    run: PaymentRun,
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

    summary = summarise(pay_date=date.fromisoformat(run["pay_date"]), area_code=run["area_code"] or None)
    entries = ", ".join(f"{count:,} {event}" for event, count in posted["counts"].items() if count) or "no new entries"
    text = f"pay date 拨付日 {run['pay_date']}: {checked['summary']}; {entries}; {summary}"
    failures = _failures_of(posted, requested, disbursed, *_each(answered))
    failures |= failures_of_stopped_batches(run["area_code"] or None)
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
