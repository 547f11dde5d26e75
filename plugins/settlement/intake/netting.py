"""Refunds of one load against the warehouse: find the originals, decide, and release what has been waiting."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from settlement.contract.tables import TABLES
from settlement.gate import reason
from settlement.intake.knowledge import Load, accepted_keys, probe, settlements_of_keys
from settlement.intake.refunds import FUNDS, Decision, Original, Party, Refund, decide
from settlement.intake.transfer import copy_to_postgres

AMOUNTS = ", ".join(FUNDS)


@dataclass(frozen=True)
class Waiting:
    """A refund that waited for its original and is decided by this load; of one id one refund waits at a time."""

    fixmedins_code: str
    setl_id: str
    decision: Decision


def decide_refunds(load: Load) -> list[Waiting]:
    """Decide the delivered refunds (written to ``outcome_settlement``) and the waiting ones (returned).

    Those that wait came earlier, so they come first. Refunds that are covered whatever their order stay accepted; only
    the others, of which there are few, are decided one after another.
    """
    _find_covered(load)
    delivered = load.engine.execute(
        f"select file_no, line_no, init_setl_id, fixmedins_code, person_key, insutype, reasons is not null, {AMOUNTS} "
        "from outcome_settlement where refd_setl_flag = 1 and disposition <> 'repeated' "
        "and not exists (select 1 from covered_refund where covered_refund.setl_id = outcome_settlement.init_setl_id) "
        "order by file_no, line_no"
    ).fetchall()
    waiting = _waiting(load)
    if not delivered and not waiting:
        return []
    refunds = [_refund(row[2:]) for row in [*waiting, *delivered]]
    originals = _originals(load, {refund.init_setl_id for refund in refunds if refund.init_setl_id})
    decisions = decide(refunds, originals)
    _write_decisions(load, delivered, decisions[len(waiting) :])
    decided = zip(waiting, decisions, strict=False)
    return [Waiting(row[0], row[1], decision) for row, decision in decided if decision.verdict != "pending"]


def _find_covered(load: Load) -> None:
    """Create ``covered_refund``: originals (setl_id) that can bear all their refunds of this batch, in any order.

    No refund adds to what is left, so refunds that are covered together are covered one by one. That holds where none
    of them is broken, all are of the original's party and insurance type, and no other refund came before or waits.
    """
    load.connection.execute("drop table if exists pg_temp.refunded")
    load.connection.execute(
        sql.SQL(
            "create temp table refunded on commit drop as "
            "select setl_id, fixmedins_code, person_key, insutype, {amounts} from raw.settlement with no data"
        ).format(amounts=sql.SQL(AMOUNTS))
    )
    sums = ", ".join(f"sum({fund})::DECIMAL(18,2) as {fund}" for fund in FUNDS)
    copy_to_postgres(
        load.engine,
        f"select init_setl_id, min(fixmedins_code), min(person_key), min(insutype), {sums} from outcome_settlement "
        "where refd_setl_flag = 1 and disposition <> 'repeated' and init_setl_id is not null group by init_setl_id "
        "having not bool_or(reasons is not null) "
        "and min(fixmedins_code) = max(fixmedins_code) and min(person_key) = max(person_key) "
        "and min(insutype) = max(insutype)",
        load.connection,
        "refunded",
        ["setl_id", "fixmedins_code", "person_key", "insutype", *FUNDS],
    )
    is_covered = " and ".join(f"known.{fund} + refunded.{fund} >= 0" for fund in FUNDS)
    probe(
        load,
        sql.SQL(
            "select refunded.setl_id from refunded {keys} {settlements} "
            "where known.fixmedins_code = refunded.fixmedins_code and known.person_key = refunded.person_key "
            "and known.insutype = refunded.insutype and known.refd_setl_flag = 0 and {is_covered} "
            "and not exists (select from raw.settlement as earlier "
            "where earlier.init_setl_id = refunded.setl_id offset 0) "
            "and not exists (select from intake.pending_refund as waiting "
            "where waiting.init_setl_id = refunded.setl_id and waiting.outcome is null offset 0)"
        ).format(keys=accepted_keys("refunded"), settlements=settlements_of_keys(), is_covered=sql.SQL(is_covered)),
        "covered_refund",
        {"setl_id": "VARCHAR"},
    )


def release(load: Load, decided: Sequence[Waiting]) -> None:
    """Move waiting refunds to where they belong: accepted rows, or the quarantine of the batch that brought them."""
    for row in decided:
        outcome = {"accepted": "accepted", "refused": "quarantined"}.get(row.decision.verdict)
        if outcome:
            load.connection.execute(
                "update intake.pending_refund set outcome = %s, outcome_batch_id = %s "
                "where fixmedins_code = %s and setl_id = %s and outcome is null",
                [outcome, load.manifest.batch_id, row.fixmedins_code, row.setl_id],
            )
    columns = [column.kept_name or "" for column in TABLES["settlement"].kept]
    columns += ["area_code", "business_date", "batch_id", "file_no", "line_no"]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    load.connection.execute(
        sql.SQL(
            "insert into raw.settlement ({names}, accepted_batch_id) select {names}, outcome_batch_id "
            "from intake.pending_refund where outcome_batch_id = %s and outcome = 'accepted'"
        ).format(names=names),
        [load.manifest.batch_id],
    )
    load.connection.execute(
        "insert into raw.settlement_key (fixmedins_code, setl_id, batch_id, business_date) "
        "select fixmedins_code, setl_id, batch_id, business_date "
        "from intake.pending_refund where outcome_batch_id = %s and outcome = 'accepted'",
        [load.manifest.batch_id],
    )
    for row in decided:
        if row.decision.verdict == "refused":
            load.connection.execute(
                "insert into intake.quarantine (batch_id, file_no, line_no, file_name, table_name, record_key, "
                "reason_codes, details) "
                "select batch_id, file_no, line_no, file_name, 'settlement', setl_id, array['R_REFUND'], "
                "jsonb_build_array(jsonb_build_object('code', 'R_REFUND', 'field', 'init_setl_id', "
                "'value', init_setl_id, 'note', %s::text)) from intake.pending_refund "
                "where outcome_batch_id = %s and fixmedins_code = %s and setl_id = %s and outcome = 'quarantined'",
                [row.decision.cause, load.manifest.batch_id, row.fixmedins_code, row.setl_id],
            )


def _waiting(load: Load) -> list[tuple[Any, ...]]:
    """Unresolved refunds whose original is accepted by now: by this batch, or by one that was loaded meanwhile."""
    wanted = load.connection.execute(
        "select distinct init_setl_id from intake.pending_refund where outcome is null"
    ).fetchall()
    if not wanted:
        return []
    arrived = load.engine.execute(
        "select setl_id from outcome_settlement where disposition = 'accepted' and setl_id in (select unnest(?))",
        [[setl_id for (setl_id,) in wanted]],
    ).fetchall()
    return load.connection.execute(
        sql.SQL(
            "select fixmedins_code, setl_id, init_setl_id, fixmedins_code, person_key, insutype, false, {amounts} "
            "from intake.pending_refund where outcome is null and (init_setl_id = any(%s) "
            "or exists (select from raw.settlement_key where settlement_key.setl_id = pending_refund.init_setl_id)) "
            "order by batch_id, file_no, line_no"
        ).format(amounts=sql.SQL(AMOUNTS)),
        [[setl_id for (setl_id,) in arrived]],
    ).fetchall()


def _originals(load: Load, setl_ids: Iterable[str]) -> dict[str, Original]:
    """The accepted settlements among `setl_ids`, of earlier loads and of this one, with what is left of them."""
    wanted = list(setl_ids)
    accepted = load.connection.execute(
        sql.SQL(
            "select setl_id, fixmedins_code, person_key, insutype, refd_setl_flag = 1, {amounts} "
            "from raw.settlement_key join raw.settlement using (fixmedins_code, setl_id, business_date) "
            "where settlement_key.setl_id = any(%s)"
        ).format(amounts=sql.SQL(AMOUNTS)),
        [wanted],
    ).fetchall()
    delivered = load.engine.execute(
        f"select setl_id, fixmedins_code, person_key, insutype, refd_setl_flag = 1, {AMOUNTS} from outcome_settlement "
        "where disposition = 'accepted' and setl_id in (select unnest(?))",
        [wanted],
    ).fetchall()
    originals = {
        setl_id: Original(
            Party(fixmedins_code, person_key, insutype), is_refund, dict(zip(FUNDS, amounts, strict=True))
        )
        for setl_id, fixmedins_code, person_key, insutype, is_refund, *amounts in [*accepted, *delivered]
    }
    sums = ", ".join(f"sum({fund})" for fund in FUNDS)
    for setl_id, *amounts in load.connection.execute(
        sql.SQL(
            "select init_setl_id, {sums} from raw.settlement where init_setl_id = any(%s) group by init_setl_id"
        ).format(sums=sql.SQL(sums)),
        [wanted],
    ):
        if original := originals.get(setl_id):
            for fund, amount in zip(FUNDS, amounts, strict=True):
                original.left[fund] += amount
    return originals


def _refund(row: tuple[Any, ...]) -> Refund:
    init_setl_id, fixmedins_code, person_key, insutype, is_broken, *amounts = row
    by_fund = dict(zip(FUNDS, amounts, strict=True))
    return Refund(init_setl_id, Party(fixmedins_code, person_key, insutype), by_fund, is_broken)


def _write_decisions(load: Load, rows: Sequence[tuple[Any, ...]], decisions: Sequence[Decision]) -> None:
    """Turn refused refunds into quarantined rows with R_REFUND among their reasons, and mark those that wait."""
    changed = [
        (file_no, line_no, decision.verdict, decision.cause)
        for (file_no, line_no, *_), decision in zip(rows, decisions, strict=True)
        if decision.verdict in ("pending", "refused")
    ]
    if not changed:
        return
    load.engine.execute(
        "create or replace table refund_decision (file_no INTEGER, line_no BIGINT, verdict VARCHAR, cause VARCHAR)"
    )
    load.engine.executemany("insert into refund_decision values (?, ?, ?, ?)", changed)
    refused = reason("R_REFUND", "init_setl_id", "init_setl_id", note="cause")
    load.engine.execute(f"""
        update outcome_settlement set
            disposition = case verdict when 'pending' then 'pending' else 'quarantined' end,
            reasons = case when verdict = 'refused' then list_concat(coalesce(reasons, []), [{refused}]) end
        from refund_decision as decided
        where outcome_settlement.file_no = decided.file_no and outcome_settlement.line_no = decided.line_no
    """)
