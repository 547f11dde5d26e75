"""
Receive batches: check every row, book what is good in raw tables, refuse the rest with reasons.

**Runs** when a provincial platform calls the API with a `batch_id`, and every 10 minutes for whatever is complete in
the inbox. Parameter `batch_id` names one batch; without it all waiting batches are taken, oldest first.

**Reads** `<inbox>/<batch_id>/` and the reference tables. **Writes** `intake`, `raw`, `reference`, the receipt and
`rejected.csv` in the outbox, and the reconciliation of the days it touched.

**A held batch** (more refused rows than the area's limit, or reference data that moves money where
`SETTLEMENT_MASTER_DATA_RELEASERS` names accounts) waits under *Required Actions*: release it or reject it. A question
that nobody answers lapses at the day's end; the batch stays held, and the next day's first scheduled run asks again.
Whoever triggered the run cannot answer, nor an account bound to other areas, and where `SETTLEMENT_RELEASERS` names
accounts, only those can.
A refused batch is no failure of this DAG: its receipt says why, and the sender mends it.

**On failure** run it again, or clear the failed task: a batch is loaded in one transaction, so it is either not
loaded at all or loaded once. One that cannot be loaded stops no other: `report_outcome` fails for it in the end.
This is a "now" run. Advice per message: `docs/runbook/receive_batch.md`.
"""

import pendulum
from airflow.sdk import Param, dag

from settlement.tasks.alerts import run_failed
from settlement.tasks.deadlines import within
from settlement.tasks.intake import (
    ReleaseOperator,
    find_batches,
    list_held_batches,
    load_and_check,
    reconcile,
    report_outcome,
)
from settlement.tasks.schedules import scheduled

every_ten_minutes = "*/10 * * * *"

OPEN_RUNS = 256
"""So many runs may be open at a time, most of them waiting for an answer; an account has a limit of its own."""


@dag(
    schedule=scheduled(every_ten_minutes),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=OPEN_RUNS,
    params={
        "batch_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
            title="Batch 批次号",
            description="The batch to receive; empty takes all that wait in the inbox. 留空则接收收件箱内全部待收批次",
        ),
    },
    on_failure_callback=run_failed,
    deadline=within(hours=4, limit="a batch is received within 4 hours"),
    tags=["cycle/on_event", "stage/intake"],
    doc_md=__doc__,
)
def receive_batch():
    """Wire the steps."""
    received = load_and_check.expand(batch_ids=find_batches())

    answers = ReleaseOperator.partial(
        task_id="ask_to_release_or_reject",
        options=["release", "reject"],
        answered_by="SETTLEMENT_RELEASERS",
        lapses=True,
        pool="loading",
        map_index_template="{{ task.about }}",
    ).expand(about=list_held_batches(received))

    answers >> reconcile(received) >> report_outcome(received, answers.output)


receive_batch()
