"""Steps of `settle_day`: check, propose, post, request, approve, pay, publish.

Every step reads what it needs from the warehouse by (pay date, area), so that running it again, alone or beside
another run, repeats nothing.
"""

import logging
from dataclasses import asdict
from datetime import date
from typing import Any, TypedDict

from airflow.sdk import get_current_context

from settlement.errors import SettlementError
from settlement.tasks.parameters import day_of_run, refuse_unknown_keys, require_area_of_run, triggered_by
from settlement.tasks.people import Answer
from settlement.tasks.run_notes import write_note
from settlement.tasks.step import step

log = logging.getLogger(__name__)


class PaymentRun(TypedDict):
    """What a run settles: dates before `pay_date` (ISO), in `area_code` or, where empty, in every area."""

    pay_date: str
    area_code: str
    triggered_by: str


@step(task_id="resolve_pay_date")
def resolve_pay_date() -> PaymentRun:
    """Read the parameters; without `pay_date` it is the day the run was planned for.

    Raises:
        SettlementError: ``not_a_working_day``, or ``unpublished_year``: payments are made on official working days;
            ``area_not_allowed``: who started the run may not settle that area, or not every area.
    """
    from settlement.working_days import is_working_day, next_working_day

    refuse_unknown_keys(["pay_date", "area_code"])
    params = get_current_context()["params"]
    require_area_of_run(params["area_code"])
    pay_date = date.fromisoformat(params["pay_date"]) if params["pay_date"] else day_of_run()
    if not is_working_day(pay_date):
        raise SettlementError(
            "not_a_working_day",
            f"{pay_date} is no working day, so nothing can be paid on it (非工作日)",
            f"run it for {next_working_day(pay_date)}, which settles the same business dates",
        )
    return PaymentRun(pay_date=pay_date.isoformat(), area_code=params["area_code"] or "", triggered_by=triggered_by())


def _settings(run: PaymentRun) -> dict[str, str]:
    return {"pay_date": run["pay_date"], "area_code": run["area_code"]}


@step(task_id="check_expectations", pool="warehouse")
def check_expectations(run: PaymentRun) -> dict[str, Any]:
    """Judge everything accepted since the last run once more, with Great Expectations, independently of the gate."""
    from settlement.gate.expectations import validate_accepted

    return asdict(validate_accepted(started_by=run["triggered_by"]))


@step(task_id="propose_entries_and_payments", pool="warehouse")
def propose_entries_and_payments(run: PaymentRun) -> int:
    """Compute the entries, findings and payments that should exist. Returns the count of models and tests."""
    from settlement.warehouse import dbt

    return dbt.build("tag:proposal", _settings(run)).node_count


@step(task_id="post_entries", pool="posting")
def post_entries(run: PaymentRun) -> dict[str, int]:
    """Post what is proposed and not yet in the books. Returns the count of entries by event."""
    from settlement.ledger.proposals import post_proposed_entries

    return post_proposed_entries(area_code=run["area_code"] or None, posted_by=run["triggered_by"])


@step(task_id="request_payments", pool="posting")
def request_payments(run: PaymentRun) -> list[dict[str, str]]:
    """Request what is due, once per area, fund and pay date. Returns the questions that need a person."""
    from settlement.payments import requests

    made = requests.request_payments(
        pay_date=date.fromisoformat(run["pay_date"]),
        area_code=run["area_code"] or None,
        triggered_by=run["triggered_by"],
    )
    return [_question(request) for request in made if request.needs_a_person]


def _question(request: Any) -> dict[str, str]:
    """Put one request in words: who is paid how much, and why a rule could not approve it."""
    return {
        "about": str(request.request_id),
        "subject": f"Approve payment 审批拨付 {request.area_code} {request.fund_pay_type} {request.total_amount:,.2f}?",
        "body": request.describe(),
    }


@step(task_id="record_answer", pool="posting")
def record_answer(answer: Answer) -> str:
    """Record one decision on a request, in the name of who answered."""
    from settlement.payments.approval import decide_request

    decision = "approved" if answer["option"] == "approve" else "rejected"
    reason = answer["reason"] or "no reason given 未填写理由"
    decide_request(answer["about"], decision=decision, decided_by=answer["person"], reason=reason)
    return decision


@step(task_id="disburse", pool="posting", trigger_rule="none_failed")
def disburse(run: PaymentRun) -> list[dict[str, Any]]:
    """Instruct every approved request, post it, and write its bank file; finishes what was interrupted."""
    from settlement.payments.instructions import disburse_approved

    return [
        asdict(disbursement)
        for disbursement in disburse_approved(
            pay_date=date.fromisoformat(run["pay_date"]),
            area_code=run["area_code"] or None,
            posted_by=run["triggered_by"],
        )
    ]


@step(task_id="publish", pool="warehouse", trigger_rule="none_failed")
def publish(run: PaymentRun) -> int:
    """Bring the published tables up to date. Returns the count of models and tests."""
    from settlement.warehouse import dbt

    return dbt.build("tag:publication", _settings(run)).node_count


@step(task_id="report_outcome", trigger_rule="none_failed")
def report_outcome(run: PaymentRun, checked: dict[str, Any], posted: dict[str, int]) -> str:
    """Write the run's note: rows checked, entries posted, money requested and instructed."""
    from settlement.payments.summary import summarise

    summary = summarise(pay_date=date.fromisoformat(run["pay_date"]), area_code=run["area_code"] or None)
    entries = ", ".join(f"{count:,} {event}" for event, count in posted.items() if count) or "no new entries"
    text = f"pay date 拨付日 {run['pay_date']}: {checked['summary']}; {entries}; {summary}"
    write_note(text)
    return text
