"""Batches that Great Expectations has stopped, and those it has not seen yet."""

from settlement.warehouse.connect import connect

ROLE = "loader"

UNSEEN = """
select exists (
    select
    from intake.batch_to_judge
    where not exists (select from intake.stopped_batch where stopped_batch.batch_id = batch_to_judge.batch_id)
)
"""

STOPPED = """
select
    stopped_batch.batch_id,
    string_agg(distinct format('%%s %%s', result.table_name, result.rule_id), ', ') as broken_rules
from intake.stopped_batch
inner join intake.batch
    on stopped_batch.batch_id = batch.batch_id
inner join intake.expectation_result as result
    on stopped_batch.batch_id = any(result.failing_batch_ids)
    and not result.is_success
    and result.severity = 'critical'
    and result.expectation_run_id = (
        select max(newest.expectation_run_id)
        from intake.expectation_run as newest
        where stopped_batch.batch_id = any(newest.batch_ids)
    )
where %(area_code)s::text is null or batch.area_code = %(area_code)s
group by stopped_batch.batch_id
order by stopped_batch.batch_id
"""


def anything_unseen() -> bool:
    """Whether a batch was accepted that no run of the expectations has judged."""
    with connect(ROLE) as connection:
        row = connection.execute(UNSEEN).fetchone()
    return bool(row and row[0])


def stopped_batches(area_code: str | None) -> dict[str, str]:
    """Give the stopped batches of an area, or of every area, each with the rules it breaks."""
    with connect(ROLE) as connection:
        rows = connection.execute(STOPPED, {"area_code": area_code}).fetchall()
    return {batch_id: broken_rules for batch_id, broken_rules in rows}
