-- Every entry and every accrued batch day belongs to a posting run of its area: a run removed from the end of a chain
-- leaves the rest of the chain whole, and only what it posted still points to it.
select
    entry.business_event_id as subject,
    format('posting run %%s of area %%s does not exist', entry.posting_run_id, entry.area_code) as finding
from ledger.entry
left join ledger.posting_run
    on entry.posting_run_id = posting_run.posting_run_id
    and entry.area_code = posting_run.area_code
where posting_run.posting_run_id is null and {entries}
union all
select
    concat_ws(' ', accrued.accepted_batch_id, accrued.business_date),
    format('posting run %%s of area %%s does not exist', accrued.posting_run_id, accrued.area_code)
from ledger.accrued_batch_day as accrued
left join ledger.posting_run
    on accrued.posting_run_id = posting_run.posting_run_id
    and accrued.area_code = posting_run.area_code
where accrued.posting_run_id is not null and posting_run.posting_run_id is null and {batch_days}
order by subject
limit 20
