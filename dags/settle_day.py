"""
Settle the days before a pay date and pay what is due: the money of yesterday is in the account today.

**Runs** at 06:00 of every official working day (make-up weekends included), and over the API. Parameters: `pay_date`
(a working day; default the day of the run) and `area_code` (empty = every area). It settles every business date
before the pay date, so days that were missed need no run of their own.

**Reads** accepted rows, declarations, policies, the ledger. **Writes** entries (accrued, deducted, instructed),
payment requests and instructions, the bank files in the outbox, and the marts.

**A request above the threshold, over plan or flagged** waits under *Required Actions*. Whoever triggered the run
cannot answer. A rejected request stays payable and comes again with the next pay date.

**On failure** clear the failed task, or run the same pay date again: payment is always entitled minus instructed and
requests are made once per area and pay date, so a second run finishes what was interrupted and pays nothing twice.
This is a "period" run. Advice per message: `docs/runbook/settle_day.md`.
"""

import pendulum
from airflow.sdk import Param, dag

from settlement.tasks.deadlines import within
from settlement.tasks.payment import (
    check_expectations,
    disburse,
    post_entries,
    propose_entries_and_payments,
    publish,
    record_answer,
    report_outcome,
    request_payments,
    resolve_pay_date,
)
from settlement.tasks.people import QuestionOperator
from settlement.tasks.schedules import scheduled
from settlement.tasks.working_day_timetable import WorkingDayTimetable


@dag(
    schedule=scheduled(WorkingDayTimetable(hour=6)),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
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
    deadline=within(hours=10, limit="daily payment within 1 working day 日拨付1个工作日"),
    tags=["cycle/daily", "stage/payment"],
    doc_md=__doc__,
)
def settle_day():
    """Wire the steps."""
    run = resolve_pay_date()

    checked = check_expectations(run)
    proposed = propose_entries_and_payments(run)
    posted = post_entries(run)
    questions = request_payments(run)
    answers = QuestionOperator.partial(
        task_id="ask_for_approval",
        options=["approve", "reject"],
        four_eyes=True,
        map_index_template="{{ task.subject }}",
    ).expand_kwargs(questions)
    answered = record_answer.expand(answer=answers.output)
    disbursed = disburse(run)

    checked >> proposed >> posted >> questions
    answered >> disbursed >> publish(run) >> report_outcome(run, checked, posted)


settle_day()
