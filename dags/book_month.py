"""
Book the inpatient cases of a month by disease group: every case grouped, priced in points, and booked at its share.

**Runs** at 05:00 of the 3rd working day of each month for the month before, and over the API. Parameters: `month`
(2026-03; default the month before the run) and `area_code` (empty = every area). Earlier months come along whose cases
waited for their settlement lists and have them now.

**Reads** accepted settlements and settlement lists, grouping schemes, standards and parameters, budgets, the ledger.
**Writes** case bookings, point values, entries (booked), the marts, and under `bookings/` of the outbox each
institution's case list with the month's totals.

**A case whose list is missing** stays booked as it was accrued and is shown as such; a case without a group is booked
by its cost. Nothing is paid by this DAG.

**On failure** run the same month again: cases are grouped and priced from what is accepted, and only what the books
still differ by is posted, so a second run finishes what was interrupted and books nothing twice. A batch in which a
rule turns out broken is left out, and `report_outcome` fails for it in the end. A month that is booked again after a
scheme, a standard or a list has changed writes difference entries. This is a "period" run.
Advice per message: `docs/runbook/book_month.md`.
"""

import pendulum
from airflow.sdk import Param, dag

from settlement.tasks.alerts import run_failed
from settlement.tasks.booking import (
    group_and_price_cases,
    post_bookings,
    publish,
    report_outcome,
    resolve_month,
    write_results,
)
from settlement.tasks.checking import check_expectations
from settlement.tasks.deadlines import within
from settlement.tasks.schedules import scheduled
from settlement.tasks.working_day_timetable import WorkingDayTimetable


@dag(
    schedule=scheduled(WorkingDayTimetable(hour=5, day_of_month=3)),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    params={
        "month": Param(
            None,
            type=["null", "string"],
            pattern=r"^([0-9]{4}-(0[1-9]|1[0-2]))?$",
            title="Month 结算月",
            description="YYYY-MM; empty books the month before the run. 留空为上月",
        ),
        "area_code": Param(
            None,
            type=["null", "string"],
            pattern=r"^([0-9]{6})?$",
            title="Area 统筹区",
            description="Six digits; empty books every area. 六位区划代码，留空为全部",
        ),
    },
    on_failure_callback=run_failed,
    deadline=within(hours=24, limit="a month's cases are booked on the 3rd working day 每月第3个工作日入组记账"),
    tags=["cycle/monthly", "stage/booking"],
    doc_md=__doc__,
)
def book_month():
    """Wire the steps."""
    run = resolve_month()
    checked = check_expectations()
    priced = group_and_price_cases(run)
    posted = post_bookings(run)
    results = write_results(run)

    run >> checked >> priced >> posted >> publish() >> results >> report_outcome(run, posted)


book_month()
