"""Steps of `book_month` and `book_cases` after their check: group and price cases, post the difference, publish."""

import logging
from datetime import date
from typing import TypedDict

from airflow.sdk import get_current_context

from settlement.errors import SettlementError
from settlement.tasks.checking import build_from_judged, failures_of_stopped_batches
from settlement.tasks.parameters import day_of_run, refuse_unknown_keys, require_area_of_run, triggered_by
from settlement.tasks.run_notes import write_note
from settlement.tasks.step import step

log = logging.getLogger(__name__)


class Period(TypedDict):
    """A month of an area; without an area every one."""

    month: str
    area_code: str


class BookingRun(TypedDict):
    """What a run books, resolved once from its parameters."""

    periods: list[Period]
    area_code: str
    is_provisional: bool
    triggered_by: str


class Posted(TypedDict):
    """The count of new entries, and what went wrong by area."""

    entry_count: int
    failures: dict[str, str]


@step(task_id="resolve_month")
def resolve_month() -> BookingRun:
    """Read the parameters; without `month` it is the month before the day of the run.

    Earlier months come along whose cases waited for their lists and have them now.

    Raises:
        SettlementError: ``scheme_unknown``, where a payment method names a scheme that is not imported;
            ``area_not_allowed``: who started the run may not act on that area, or not on every area.
    """
    from settlement.booking.months import month_before, months_with_late_lists, refuse_unknown_schemes

    refuse_unknown_keys(["month", "area_code"])
    params = get_current_context()["params"]
    area_code = params["area_code"] or ""
    require_area_of_run(area_code)
    month = params["month"] or month_before(day_of_run())
    months = sorted({month, *(late for late in months_with_late_lists(area_code=area_code or None) if late < month)})
    for each in months:
        refuse_unknown_schemes(month=each, area_code=area_code or None)
    return BookingRun(
        periods=[Period(month=each, area_code=area_code) for each in months],
        area_code=area_code,
        is_provisional=False,
        triggered_by=triggered_by(),
    )


@step(task_id="resolve_day")
def resolve_day() -> BookingRun:
    """Read the parameters: the month of `booked_on` and the one before, in areas on path 3 that have not booked them.

    Raises:
        SettlementError: As ``resolve_month``.
    """
    from settlement.booking.months import areas_to_book_case_by_case, month_before, refuse_unknown_schemes

    refuse_unknown_keys(["booked_on", "area_code"])
    params = get_current_context()["params"]
    area_code = params["area_code"] or ""
    require_area_of_run(area_code)
    booked_on = date.fromisoformat(params["booked_on"]) if params["booked_on"] else day_of_run()
    periods = [
        Period(month=month, area_code=area)
        for month in (month_before(booked_on), f"{booked_on:%Y-%m}")
        for area in areas_to_book_case_by_case(month=month, area_code=area_code or None)
    ]
    for period in periods:
        refuse_unknown_schemes(month=period["month"], area_code=period["area_code"])
    return BookingRun(periods=periods, area_code=area_code, is_provisional=True, triggered_by=triggered_by())


@step(task_id="group_and_price_cases", pool="warehouse")
def group_and_price_cases(run: BookingRun) -> int:
    """Group and price each month's cases, and propose what the books lack. Returns the count of models and tests.

    What was accepted meanwhile is judged before it can be booked, and left out if it does not hold.
    """
    return build_from_judged(lambda: _price(run), started_by=run["triggered_by"])


def _price(run: BookingRun) -> int:
    from settlement.booking.pricing import price_month

    return sum(
        price_month(month=period["month"], area_code=period["area_code"] or None, is_provisional=run["is_provisional"])
        for period in run["periods"]
    )


@step(task_id="post_bookings", pool="posting")
def post_bookings(run: BookingRun) -> Posted:
    """Post what was booked less what was accrued, and put point values on record, area by area."""
    from settlement.booking import posting
    from settlement.ledger.transactions import Failures

    failures: Failures = {}
    count = posting.post_bookings(area_code=run["area_code"] or None, posted_by=run["triggered_by"], failures=failures)
    return Posted(entry_count=count, failures={str(area): str(failure) for area, failure in failures.items()})


@step(task_id="publish", pool="warehouse")
def publish() -> int:
    """Bring the published tables up to date. Returns the count of models and tests."""
    from settlement.warehouse import dbt

    return dbt.build("tag:publication").node_count


@step(task_id="write_results")
def write_results(run: BookingRun) -> int:
    """Write each institution's case list and the month's totals into the outbox. Returns the count of new files."""
    from settlement.booking import result_files

    return sum(
        len(result_files.write_results(month=period["month"], area_code=period["area_code"] or None))
        for period in run["periods"]
    )


@step(task_id="report_outcome")
def report_outcome(run: BookingRun, posted: Posted) -> str:
    """Write the run's note: cases by state, money booked and accrued, point values.

    Raises:
        SettlementError: ``run_incomplete``, for what failed in an area, and for batches that are stopped, while the
            others were booked.
    """
    from settlement.booking.summary import summarise

    texts = [summarise(month=period["month"], area_code=period["area_code"] or None) for period in run["periods"]]
    text = (
        "; ".join([*texts, f"{posted['entry_count']:,} new entries 新分录"])
        if texts
        else "nothing to book 无待记账病例"
    )
    failed = {**posted["failures"], **failures_of_stopped_batches(run["area_code"] or None)}
    failures = [f"{key}: {message}" for key, message in failed.items()]
    write_note(f"{text}; FAILED 失败: {'; '.join(failures)}" if failures else text)
    if failures:
        raise SettlementError(
            "run_incomplete",
            "; ".join(failures),
            "all else is booked; mend what the messages name, then run it again (其余已记账, 修正后重跑)",
        )
    return text
