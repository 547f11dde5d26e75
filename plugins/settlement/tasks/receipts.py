"""Steps of `record_receipts`: match the bank's answers to instructions and post them."""

from dataclasses import asdict
from typing import Any

from airflow.sdk import get_current_context

from settlement.tasks.parameters import (
    refuse_unknown_keys,
    require_area_of_batch,
    require_area_of_run,
    require_kind_of_batch,
    triggered_by,
)
from settlement.tasks.run_notes import write_note
from settlement.tasks.sealing import seal_and_publish
from settlement.tasks.step import step


@step(task_id="find_receipts")
def find_receipts() -> list[str]:
    """Give the receipt batches to record: the one named, or all accepted and not yet recorded.

    Raises:
        SettlementError: ``area_not_allowed``: who started the run may not act on the batch's area, or not on every one;
            ``kind_not_allowed``: who started the run may not deliver what a bank answers.
    """
    from settlement.banking.matching import area_of_batch, unrecorded_batches

    refuse_unknown_keys(["batch_id"])
    require_kind_of_batch("bank_receipt")
    batch_id = get_current_context()["params"]["batch_id"]
    if batch_id:
        require_area_of_batch(area_of_batch(batch_id))
        return [batch_id]
    require_area_of_run(None)
    return unrecorded_batches()


@step(task_id="match_and_post", pool="posting", map_index_template="{{ batch_id }}", max_active_tis_per_dagrun=1)
def match_and_post(batch_id: str) -> dict[str, Any]:
    """Match one batch of bank answers and post what it means, in one transaction. Returns counts by outcome."""
    from settlement.banking.matching import record_batch

    get_current_context()["batch_id"] = batch_id  # type: ignore[typeddict-unknown-key]  # names the mapped task
    return asdict(record_batch(batch_id, posted_by=triggered_by()))


@step(task_id="publish", pool="warehouse", trigger_rule="none_failed")
def publish() -> int:
    """Bring the published tables up to date. Returns the count of models and tests."""
    from settlement.warehouse import dbt

    seal_and_publish()
    return dbt.build("tag:publication").node_count


@step(task_id="report_outcome", trigger_rule="none_failed")
def report_outcome(matched: list[dict[str, Any]]) -> str:
    """Write the run's note: how many payments were made, rejected, returned, and what needs a look."""
    text = "; ".join(result["summary"] for result in matched) or "no receipt was waiting 无待记回单"
    write_note(text)
    return text
