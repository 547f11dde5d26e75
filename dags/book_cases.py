"""
Book inpatient cases one by one as their settlement lists come, in areas on path 3 (monthly prepayment).

**Runs** at 05:00 of every working day, and over the API. Parameters: `booked_on` (a date; its month is booked, and the
month before as long as it is not booked as a whole; default the day of the run) and `area_code` (empty = every area).
Areas without a `monthly_prepay` policy, and months that `book_month` has booked, are left alone.

**Reads** accepted settlements and settlement lists, grouping schemes, standards and parameters, the ledger.
**Writes** case bookings marked provisional, entries (booked), the marts.

**Cases are booked** at the value that was set beforehand, else at the newest one published; where there is neither they
stay as they were accrued. `book_month` then books the month at its own value, and the difference is posted.

**On failure** run it again: only what the books still differ by is posted. This is a "period" run.
Advice per message: `docs/runbook/book_cases.md`.
"""

import pendulum
from airflow.sdk import Param, dag

from settlement.tasks.alerts import run_failed
from settlement.tasks.booking import group_and_price_cases, post_bookings, publish, report_outcome, resolve_day
from settlement.tasks.checking import check_expectations
from settlement.tasks.deadlines import within
from settlement.tasks.schedules import scheduled
from settlement.tasks.working_day_timetable import WorkingDayTimetable


@dag(
    schedule=scheduled(WorkingDayTimetable(hour=5)),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    params={
        "booked_on": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Date 记账日",
            description="Its month is booked; empty is the day of the run. 留空为运行日",
        ),
        "area_code": Param(
            None,
            type=["null", "string"],
            pattern=r"^([0-9]{6})?$",
            title="Area 统筹区",
            description="Six digits; empty books every area on path 3. 六位区划代码，留空为全部",
        ),
    },
    on_failure_callback=run_failed,
    deadline=within(hours=10, limit="a complete case is booked within 1 working day 清单到达后1个工作日内记账"),
    tags=["cycle/daily", "stage/booking"],
    doc_md=__doc__,
)
def book_cases():
    """Wire the steps."""
    run = resolve_day()
    checked = check_expectations()
    priced = group_and_price_cases(run)
    posted = post_bookings(run)

    run >> checked >> priced >> posted >> publish() >> report_outcome(run, posted)


book_cases()
