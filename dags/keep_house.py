"""
Keep house: prove the books, make partitions ahead, run the audits that read all history, remove what killed loads left.

**Runs** every Sunday at 03:00. It has no parameters.

**Reads** everything. **Writes** partitions only; it corrects nothing. It removes work folders of
loads that were killed, and delivered files from the inbox that nobody needs any more.

**On failure** of `verify_ledger` stop paying and read `docs/runbook/keep_house.md`: the books differ from what was
sealed, and the message names the first posting run that does. `check_calendar` fails in the last month of the published
working days until the next year's are installed. Any other step can simply be run again. This is a "now" run.
"""

import pendulum
from airflow.sdk import dag

from settlement.tasks.alerts import run_failed
from settlement.tasks.deadlines import within
from settlement.tasks.housekeeping import (
    audit_models,
    check_calendar,
    make_partitions_ahead,
    remove_left_files,
    report_outcome,
    tidy_inbox,
    verify_ledger,
)
from settlement.tasks.schedules import scheduled

sundays_at_three = "0 3 * * 0"


@dag(
    schedule=scheduled(sundays_at_three),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    on_failure_callback=run_failed,
    deadline=within(hours=12, limit="the weekly proof ends within 12 hours"),
    tags=["cycle/weekly", "stage/care"],
    doc_md=__doc__,
)
def keep_house():
    """Wire the steps."""
    report_outcome(
        make_partitions_ahead(), verify_ledger(), audit_models(), check_calendar(), remove_left_files(), tidy_inbox()
    )


keep_house()
