"""Steps of `keep_house`: partitions ahead, the ledger's proof, audits, what killed loads and old batches left."""

import logging
from datetime import date, timedelta

from settlement.errors import SettlementError
from settlement.tasks.parameters import day_of_run, refuse_unknown_keys
from settlement.tasks.run_notes import write_note
from settlement.tasks.sealing import seal_and_publish
from settlement.tasks.step import step

log = logging.getLogger(__name__)

DAYS_AHEAD = 100

# The notice of the coming year is out by the middle of November, as a rule: a warning from November on, and in December
# what an installation that has not been brought up to date cannot overlook.
CALENDAR_DAYS_WARNED = 60
CALENDAR_DAYS_REQUIRED = 31


@step(task_id="make_partitions_ahead")
def make_partitions_ahead() -> str:
    """Make the monthly partitions of the coming months, so that no load has to."""
    from settlement.warehouse import connect

    refuse_unknown_keys([])
    first, last = day_of_run(), day_of_run() + timedelta(days=DAYS_AHEAD)
    with connect("loader") as connection:
        connection.execute("select raw.ensure_partitions(%s, %s)", [first, last])
    return f"partitions up to {last:%Y-%m}"


@step(task_id="verify_ledger", pool="posting")
def verify_ledger() -> str:
    """Recompute the seals and every invariant of the books, over all history, and compare what was published.

    What is proved is sealed and published then, so that a week without payments has its seal too.
    """
    from settlement.ledger.verification import verify_ledger as verify

    summary = verify().summary
    seal_and_publish()
    return summary


@step(task_id="audit_models", pool="warehouse")
def audit_models() -> int:
    """Run the data tests that read all history. Returns their count."""
    from settlement.warehouse import dbt

    return dbt.build("tag:audit").node_count


@step(task_id="check_calendar")
def check_calendar() -> str:
    """Warn when few days of the working calendar are left, and fail in its last month: payments stop where it ends.

    Raises:
        SettlementError: ``calendar_ends``.
    """
    from settlement.working_days import LAST_YEAR, REMEDY

    end = date(LAST_YEAR, 12, 31)
    days_left = (end - day_of_run()).days
    if days_left <= CALENDAR_DAYS_REQUIRED:
        raise SettlementError(
            "calendar_ends",
            f"working days are known until {end} only; nothing is paid after it ({days_left} days left 日历即将用尽)",
            REMEDY,
        )
    text = f"working days known until {end} ({days_left} days left 日历剩余天数)"
    if days_left <= CALENDAR_DAYS_WARNED:
        log.warning("%s. %s", text, REMEDY)
        return f"{text}, extend the calendar 请更新日历"
    return text


@step(task_id="remove_left_files")
def remove_left_files() -> int:
    """Remove the work folders of killed loads on this host: they hold delivered rows in clear. Returns their count."""
    from settlement.intake.engine import remove_left_folders

    return remove_left_folders()


@step(task_id="tidy_inbox")
def tidy_inbox() -> int:
    """Remove the delivered files that nobody needs any more; what waits for anything stays. Returns their folders."""
    from settlement.intake.tidying import tidy_inbox as tidy

    return tidy()


@step(task_id="report_outcome")
def report_outcome(partitions: str, ledger: str, audited: int, calendar: str, left: int, tidied: int) -> str:
    """Write the run's note."""
    text = (
        f"{ledger}; {partitions}; {audited} audits passed; {calendar}; {left} work folders of killed loads removed; "
        f"{tidied} inbox folders removed 已清理收件箱目录"
    )
    write_note(text)
    return text
