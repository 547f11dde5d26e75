"""
Settle the days before a pay date and pay what is due: the money of yesterday is in the account today.

**Runs** at 06:00 of every official working day (make-up weekends included), and over the API. Parameters: `pay_date`
(a working day; default the day of the run) and `area_code` (empty = every area). It settles every business date
before the pay date, so days that were missed need no run of their own.

**Reads** accepted rows, declarations, policies, the ledger. **Writes** entries (accrued, deducted, instructed),
payment requests and instructions, the bank files in the outbox, and the marts.

**A request above the threshold, over plan or flagged** waits under *Required Actions*; everything else is paid before
anybody is asked, and each request as soon as it is approved. Whoever triggered the run, or made the request, cannot
answer, nor an account bound to other areas, and where `SETTLEMENT_APPROVERS` names accounts, only those can. A rejected
request stays payable and comes again with the next pay date.

**On failure** run the same pay date again: payment is always entitled minus instructed and requests are made once per
area and pay date, so a second run finishes what was interrupted and pays nothing twice. What fails in one area or
request, or breaks a rule in one batch, stops no other: `report_outcome` fails for it in the end and names it with its
remedy.
This is a "period" run. Advice per message: `docs/runbook/settle_day.md`.
"""

import pendulum
from airflow.sdk import Param, dag, task_group

from settlement.tasks.alerts import run_failed
from settlement.tasks.checking import check_expectations
from settlement.tasks.deadlines import within
from settlement.tasks.payment import (
    ApprovalOperator,
    disburse_answered_request,
    disburse_approved_requests,
    list_open_questions,
    post_entries,
    propose_entries_and_payments,
    publish,
    publish_answers,
    report_outcome,
    request_payments,
    resolve_pay_date,
)
from settlement.tasks.schedules import scheduled
from settlement.tasks.working_day_timetable import WorkingDayTimetable

OPEN_RUNS = 64
"""So many runs may be open at a time, most of them waiting for an answer. It is no guard: steps are safe together."""


@dag(
    schedule=scheduled(WorkingDayTimetable(hour=6)),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=OPEN_RUNS,
    params={
        "pay_date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Pay date 拨付日",
            description="A working day; every business date before it is settled. 须为工作日，结算其之前的全部业务日",
        ),
        "area_code": Param(
            None,
            type=["null", "string"],
            pattern=r"^([0-9]{6})?$",
            title="Area 统筹区",
            description="Six digits; empty settles every area. 六位区划代码，留空为全部",
        ),
    },
    on_failure_callback=run_failed,
    deadline=within(hours=10, limit="daily payment within 1 working day 日拨付1个工作日"),
    tags=["cycle/daily", "stage/payment"],
    doc_md=__doc__,
)
def settle_day():
    """Wire the steps."""
    resolved = resolve_pay_date()
    checked = check_expectations()
    posted = post_entries()
    requested = request_payments()
    disbursed = disburse_approved_requests()
    published = publish()
    questions = list_open_questions()

    @task_group(prefix_group_id=False)
    def ask_and_disburse(about):
        answer = ApprovalOperator(
            task_id="ask_for_approval",
            options=["approve", "reject"],
            about=about,
            answered_by="SETTLEMENT_APPROVERS",
            lapses=True,
            pool="asking",
            map_index_template="{{ task.about }}",
        )
        return disburse_answered_request(answer.output)

    answered = ask_and_disburse.expand(about=questions)
    republished = publish_answers(answered)

    resolved >> checked >> propose_entries_and_payments() >> posted >> requested >> disbursed >> published >> questions
    republished >> report_outcome(checked, posted, requested, disbursed, answered)


settle_day()
