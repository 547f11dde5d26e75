"""Fee lines against their settlements: a sum that is not the total is said, and refuses nothing (R_FEE_SUM).

Systems round lines and totals apart, so a fen between them is no fault of the settlement; how much may be is a dated
setting of the area. Settlements and lines of one batch are compared; what comes later has its lines in other batches.
"""

from collections.abc import Collection

import pyarrow as pa

from settlement.intake.knowledge import Load

TABLE = "fee_sum"
SHOWN = 3
"""Settlements named in the warning, those farthest from their total."""

COMPARED = f"""
    with settlements as (
        select setl_id, medfee_sumamt from stored_settlement
        union all
        select setl_id, medfee_sumamt from outcome_settlement where disposition = 'accepted'
    ),
    sums as (select setl_id, sum(amount) as amount from {TABLE} group by setl_id),
    apart as (
        select setl_id, amount, medfee_sumamt
        from sums join settlements using (setl_id)
        where abs(amount - medfee_sumamt) > (select coalesce(fee_sum_tolerance, 0) from area)
    )
    select
        setl_id, medfee_sumamt, amount, count(*) over () as apart_count,
        (select coalesce(fee_sum_tolerance, 0) from area) as tolerance
    from apart order by abs(amount - medfee_sumamt) desc, setl_id limit {SHOWN}
"""


def add_up(lines: pa.RecordBatch) -> pa.RecordBatch:
    """The sum of accepted fee lines by settlement, as far as these lines go."""
    sums = pa.table(lines.select(["setl_id", "det_item_fee_sumamt"])).group_by("setl_id")
    found = sums.aggregate([("det_item_fee_sumamt", "sum")]).rename_columns(["setl_id", "amount"])
    return found.combine_chunks().to_batches()[0] if found.num_rows else pa.RecordBatch.from_pylist([], found.schema)


def warnings(load: Load, delivered: Collection[str]) -> list[str]:
    """Say how many settlements of the batch differ from the sum of their lines, and which differ most."""
    if not {"settlement", "fee_item"} <= set(delivered):
        return []
    apart = load.engine.execute(COMPARED).fetchall()
    if not apart:
        return []
    shown = ", ".join(f"{setl_id} {total} ≠ {amount}" for setl_id, total, amount, *_ in apart)
    _, _, _, count, tolerance = apart[0]
    return [
        f"R_FEE_SUM: 费用明细合计 ≠ 医疗费总额（容差 {tolerance} 元） / the fee lines do not add up to medfee_sumamt "
        f"(tolerance {tolerance} yuan) (settlement: {count}; {shown})"
    ]
