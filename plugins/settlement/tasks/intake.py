"""Steps of `receive_batch`: find what waits in the inbox, load it, ask about held batches, reconcile, report."""

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.sdk import get_current_context

from settlement.callers import SCHEDULER
from settlement.contract.manifest import KINDS
from settlement.errors import SettlementError
from settlement.markdown import plain
from settlement.tasks.alerts import batch_refused
from settlement.tasks.loading import LoadingProcess
from settlement.tasks.open_runs import refuse_too_many_runs
from settlement.tasks.parameters import (
    refuse_unknown_keys,
    require_area_of_batch,
    require_area_of_run,
    require_kind_of_batch,
    time_of_run,
    triggered_by,
)
from settlement.tasks.people import Answer, Question, QuestionOperator
from settlement.tasks.run_notes import write_note
from settlement.tasks.step import step
from settlement.user_areas import require_batch_id
from settlement.user_kinds import kinds_of

if TYPE_CHECKING:
    from settlement.intake.batches import Known

log = logging.getLogger(__name__)

# Kinds after whose arrival declared and accepted totals may compare differently.
RECONCILED_KINDS = ("settlement", "declaration")


# One process loads this many in a row: its start costs as much as a small batch, and a mapped task has its own.
BATCHES_OF_A_TASK = 50
DELIVERIES_AT_A_TIME = 8
"""Times SETTLEMENT_OPEN_RUNS: a sender brings a day's batches at once, and they wait for each other."""
MINUTES_BETWEEN_RUNS = 10
"""Of the schedule in dags/receive_batch.py."""


OF_ONE_BATCH = (
    "area_not_allowed",
    "kind_not_allowed",
    "batch_not_found",
    "batch_id_invalid",
    "disk_space_low",
    "engine_memory",
    "load_failed",
    "load_killed",
    "load_killed_twice",
)
"""Failures that the next batch need not have."""


class Received(TypedDict):
    """The receipts of batches, and what went wrong by batch."""

    receipts: list[dict[str, Any]]
    failures: dict[str, str]


@step(task_id="find_batches")
def find_batches() -> list[list[str]]:
    """Give the batches to receive, in portions: the one named, or all that are complete in the inbox, oldest first.

    An account that is bound to kinds of batches takes of all that wait only these.

    Raises:
        SettlementError: ``area_not_allowed``: who started the run may not act on the batch's area, or not on every one;
            ``kind_not_allowed``: who started the run may not deliver what the named batch is;
            ``batch_id_not_yours``: the named batch's id begins with none of the areas of who started the run.
    """
    from settlement.intake import waiting_batches
    from settlement.intake.delivered import delivered_manifest

    refuse_unknown_keys(["batch_id"])
    refuse_too_many_runs(times=DELIVERIES_AT_A_TIME)
    batch_id = get_current_context()["params"]["batch_id"]
    if batch_id:
        require_batch_id(triggered_by(), batch_id)
        manifest = delivered_manifest(batch_id)
        require_area_of_batch(manifest.area_code if manifest else None)
        require_kind_of_batch(manifest.kind if manifest else None)
        return [[batch_id]]
    require_area_of_run(None)
    waiting = _of_allowed_kinds(waiting_batches())
    return [waiting[first : first + BATCHES_OF_A_TASK] for first in range(0, len(waiting), BATCHES_OF_A_TASK)]


def _of_allowed_kinds(batch_ids: list[str]) -> list[str]:
    """Leave out what who started the run may not deliver; short of every kind, also what has no kind one can tell."""
    from settlement.intake.delivered import delivered_manifest

    kinds = kinds_of(triggered_by())
    if set(kinds) == set(KINDS):
        return batch_ids
    manifests = {batch_id: delivered_manifest(batch_id) for batch_id in batch_ids}
    allowed = [batch_id for batch_id, manifest in manifests.items() if manifest and manifest.kind in kinds]
    if len(allowed) < len(batch_ids):
        log.info(
            "%d waiting batches are left to others: %s may deliver %s",
            *(len(batch_ids) - len(allowed), triggered_by(), ", ".join(kinds) or "nothing"),
        )
    return allowed


@step(
    task_id="load_and_check",
    pool="loading",
    map_index_template="{{ batches }}",
    max_active_tis_per_dagrun=1,  # a batch may build on the one before it
    execution_timeout=timedelta(hours=12),  # of many batches; each has a limit of its own
)
def load_and_check(batch_ids: list[str]) -> Received:
    """Load batches one after the other: every row through the gate, all of a batch in one transaction.

    One that cannot be loaded leaves the others to go on: the last step fails for it. Where it is the only one, or the
    reason lies in no batch, the task fails at once.
    """
    name = batch_ids[0] if len(batch_ids) == 1 else f"{batch_ids[0]} … {batch_ids[-1]} ({len(batch_ids)})"
    get_current_context()["batches"] = name  # type: ignore[typeddict-unknown-key]  # names the mapped task
    received = Received(receipts=[], failures={})
    with LoadingProcess() as loading:
        for number, batch_id in enumerate(batch_ids, start=1):
            log.info("batch %d of %d: %s", number, len(batch_ids), batch_id)
            try:
                receipt = _receive(loading, batch_id)
                batch_refused(receipt)
                received["receipts"].append(receipt)
            except Exception as error:
                if len(batch_ids) == 1 or _concerns_every_batch(error):
                    raise
                log.exception("%s could not be loaded", batch_id)
                received["failures"][batch_id] = str(error)
    return received


def _concerns_every_batch(error: Exception) -> bool:
    """True for a missing setting or an unreachable warehouse; False for what one batch brought about."""
    return isinstance(error, SettlementError) and error.code not in OF_ONE_BATCH


def _receive(loading: LoadingProcess, batch_id: str) -> dict[str, Any]:
    """Receive one batch. That who started the run may do so is judged here again: ids are handed on between steps."""
    from settlement.intake.delivered import delivered_manifest

    manifest = delivered_manifest(batch_id)
    require_area_of_batch(manifest.area_code if manifest else None)
    require_kind_of_batch(manifest.kind if manifest else None)
    account = triggered_by()
    return loading.receive(batch_id, **({} if account == SCHEDULER else {"received_by": account}))


@step(task_id="list_held_batches", trigger_rule="all_done")
def list_held_batches(received: Sequence[Received] | None) -> list[str]:
    """Give the batches that were held, to be asked about, also where another batch could not be loaded.

    Questions lapse at the day's end. The schedule's first run of a day asks anew about everything that is held still.
    """
    held = [receipt["batch_id"] for receipt in _receipts_of(received) if receipt["status"] == "held"]
    if triggered_by() == SCHEDULER and is_first_of_day(time_of_run()):
        held = list(dict.fromkeys([*_all_held(), *held]))
    return held


def is_first_of_day(planned_for: datetime) -> bool:
    """Whether a scheduled run is the first one of its day in Shanghai."""
    return planned_for.time() < time(0, MINUTES_BETWEEN_RUNS)


def _all_held() -> list[str]:
    from settlement.intake.batches import held_batches
    from settlement.warehouse import connect

    with connect("loader") as connection:
        return held_batches(connection)


def _receipts_of(received: Sequence[Received] | None) -> list[dict[str, Any]]:
    return [receipt for portion in received or () for receipt in portion["receipts"]]


class ReleaseOperator(QuestionOperator):
    """Asks about one held batch, and releases or rejects it in the name of who answered."""

    def question_about(self, about: str) -> Question | None:
        """Put one batch in words, as the warehouse knows it; None where it is not held (any more)."""
        held = _held_batch(about)
        return _question(held) if held else None

    def record(self, question: Question, answer: Answer) -> dict[str, Any]:
        """Release or reject the batch. Returns its new receipt."""
        log.info("%s: %s batch %s: %s", answer["person"], answer["option"], question.about, answer["reason"] or "-")
        decision = {f"{answer['option']}_by": answer["person"]}
        with LoadingProcess() as loading:
            return loading.receive(question.about, reason=answer["reason"], **decision)


def _held_batch(batch_id: str) -> "Known | None":
    from settlement.intake.batches import find_batch
    from settlement.warehouse import connect

    with connect("loader") as connection:
        known = find_batch(connection, batch_id)
    return known if known and known.status == "held" else None


def _question(held: "Known") -> Question:
    receipt = held.receipt.as_json()
    batch_id = plain(receipt["batch_id"])
    is_master_data = "master_data" in held.held.reasons
    parts = [] if held.held.reasons == ("master_data",) else [_about_rejections(receipt)]
    if is_master_data:
        parts.append(_about_changes(held.held.changes))
    parts.append(
        "**release** accepts the good rows and refuses the others; **reject** refuses the whole batch. "
        f"Refused rows: {batch_id}/rejected.csv in the outbox."
    )
    return Question(
        about=receipt["batch_id"],
        area_code=receipt["area_code"],
        subject=f"Release batch {batch_id}? 是否放行挂起批次?",
        body="\n\n".join(parts),
        caused_by=held.received_by or "",
        digest=f"{held.content_sha256} {held.held.digest}",
        answered_by="SETTLEMENT_MASTER_DATA_RELEASERS" if is_master_data else "",
    )


def _about_rejections(receipt: dict[str, Any]) -> str:
    read = sum(file["read"] for file in receipt["files"])
    refused = sum(file["quarantined"] for file in receipt["files"])
    reasons = "\n".join(f"| {plain(code)} | {count} |" for code, count in sorted(receipt["reasons"].items()))
    return (
        f"{refused} of {read} rows break a rule, more than the area's limit. 超过统筹区拒收比例上限。\n\n"
        f"| reason 原因 | rows 行数 |\n|---|---|\n{reasons}"
    )


def _about_changes(changes: Sequence[dict[str, Any]]) -> str:
    """Say what reference data would become, a line a column, for who compares it with the papers."""
    lines = [
        "It changes what is paid, or to which account: compare it with the papers. 拟更改支付主数据，请核对书面材料。",
        "",
        "| table 表 | key 键 | from 起 | column 列 | before 原值 | after 新值 |",
        "|---|---|---|---|---|---|",
    ]
    rows = sorted((change for change in changes if "after" in change), key=lambda change: change["before"] is None)
    for change in rows:
        before = change["before"] or {}
        for column, value in change["after"].items():
            cells = (change["table"], change["key"], change["valid_from"], column, before.get(column), value)
            lines.append(f"| {' | '.join(plain('' if cell is None else cell) for cell in cells)} |")
    not_shown = sum(change["count"] for change in changes if "count" in change) - len(rows)
    if not_shown:
        lines += ["", f"{not_shown:,} more rows are not shown 未列示: reject it, and ask for smaller batches."]
    return "\n".join(lines)


@step(task_id="reconcile", pool="warehouse", trigger_rule="all_done")
def reconcile(received: Sequence[Received] | None) -> int:
    """Compare declared with accepted totals where this run brought either. Returns the count of models and tests.

    It runs although a load failed, for the batches that did not; the last step fails then, or does not run.
    """
    from settlement.warehouse import dbt

    if not any(receipt["kind"] in RECONCILED_KINDS for receipt in _receipts_of(received)):
        log.info("nothing to reconcile: no settlements and no declarations")
        return 0
    return dbt.build("tag:reconciliation").node_count


@step(task_id="report_outcome", trigger_rule="none_failed")
def report_outcome(received: Sequence[Received], decided: list[dict[str, Any]] | None) -> str:
    """Write the run's note, e.g. `1,204 read, 1,199 accepted, 5 refused; 3 reasons`.

    A batch that was held is reported as people decided on it.

    Raises:
        SettlementError: ``run_incomplete``, for batches that could not be loaded while the others were.
    """
    answered = [receipt for receipt in decided or [] if "status" in receipt]
    newest = {receipt["batch_id"]: receipt for receipt in [*_receipts_of(received), *answered]}
    failures = {batch_id: message for portion in received for batch_id, message in portion["failures"].items()}
    text = _told(list(newest.values()))
    failed = "; ".join(f"{batch_id}: {message}" for batch_id, message in failures.items())
    write_note(f"{text} (by {triggered_by()})" + (f"; FAILED 失败: {failed}" if failed else ""))
    if failed:
        raise SettlementError(
            "run_incomplete",
            failed,
            "the other batches were received; mend what the messages name, then run it again (其余已接收, 修正后重跑)",
        )
    return text


def _told(receipts: list[dict[str, Any]]) -> str:
    if not receipts:
        return "no batch was waiting 无待收批次"
    if len(receipts) == 1:
        return _outcome(receipts[0])
    return f"{len(receipts)} batches: " + "; ".join(
        f"{receipt['batch_id']} {_outcome(receipt)}" for receipt in receipts
    )


def _outcome(receipt: dict[str, Any]) -> str:
    if receipt["status"] == "refused":
        return f"refused 整批退回: {receipt['error']['code']}: {receipt['error']['message']}"
    counts = {
        name: sum(file[name] for file in receipt["files"])
        for name in ("read", "accepted", "quarantined", "repeated", "pending")
    }
    words = [f"{counts['read']:,} read", f"{counts['accepted']:,} accepted", f"{counts['quarantined']:,} refused"]
    words += [f"{counts[name]:,} {name}" for name in ("repeated", "pending") if counts[name]]
    reasons = f"; {len(receipt['reasons'])} reasons" if receipt["reasons"] else ""
    return f"{receipt['status']}: {', '.join(words)}{reasons}"
