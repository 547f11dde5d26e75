"""
Record what the bank answered: a payment counts as made only when the bank has booked it.

**Runs** when a bank receipt batch was received (over the API with its `batch_id`), and hourly for any that wait.

**Reads** the received pain.002 and camt.054 transactions. **Writes** payment events, entries (paid, rejected,
returned, suspense, suspense_cleared) and the marts.

**What needs a look** stands in the run's note, and in the log as an alert: an unknown id, or money that its instruction
did not expect, is booked to suspense; a differing amount is held unmatched. Rejected or returned money is payable again
and goes out with the next pay date under a new id.

**On failure** run it again: each bank transaction is recorded once, whatever arrives twice. This is a "now" run.
Advice per message: `docs/runbook/record_receipts.md`.
"""

import pendulum
from airflow.sdk import Param, dag

from settlement.tasks.alerts import run_failed
from settlement.tasks.deadlines import within
from settlement.tasks.receipts import find_receipts, match_and_post, publish, report_outcome
from settlement.tasks.schedules import scheduled

every_hour = "20 * * * *"


@dag(
    schedule=scheduled(every_hour),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    params={
        "batch_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
            title="Receipt batch 回单批次",
            description="The received batch to record; empty records all that wait. 留空则记录全部待记回单",
        ),
    },
    on_failure_callback=run_failed,
    deadline=within(hours=4, limit="a bank receipt is recorded within 4 hours"),
    tags=["cycle/on_event", "stage/payment"],
    doc_md=__doc__,
)
def record_receipts():
    """Wire the steps."""
    matched = match_and_post.expand(batch_id=find_receipts())
    matched >> publish() >> report_outcome(matched)


record_receipts()
