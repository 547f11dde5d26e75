"""Steps of `keep_house`: partitions ahead, the ledger's proof, audits, what killed loads left."""

from datetime import date, timedelta

from settlement.tasks.parameters import day_of_run, refuse_unknown_keys
from settlement.tasks.run_notes import write_note
from settlement.tasks.step import step

DAYS_AHEAD = 100


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
    """Recompute the chain of seals and every invariant of the books, over all history."""
    from settlement.ledger.verification import verify_ledger as verify

    return verify().summary


@step(task_id="audit_models", pool="warehouse")
def audit_models() -> int:
    """Run the data tests that read all history. Returns their count."""
    from settlement.warehouse import dbt

    return dbt.build("tag:audit").node_count


@step(task_id="check_calendar")
def check_calendar() -> str:
    """Warn while the coming year's working days are unpublished: payments stop where the calendar ends."""
    from settlement.working_days import LAST_YEAR

    end = date(LAST_YEAR, 12, 31)
    days_left = (end - day_of_run()).days
    return f"working days known until {end} ({days_left} days left 日历剩余天数)"


@step(task_id="remove_left_files")
def remove_left_files() -> int:
    """Remove the work folders of killed loads on this host: they hold delivered rows in clear. Returns their count."""
    from settlement.intake.engine import remove_left_folders

    return remove_left_folders()


@step(task_id="report_outcome")
def report_outcome(partitions: str, ledger: str, audited: int, calendar: str, left: int) -> str:
    """Write the run's note."""
    text = f"{ledger}; {partitions}; {audited} audits passed; {calendar}; {left} work folders of killed loads removed"
    write_note(text)
    return text
