-- Mark the batch days whose accrual this run has posted; the event id ends in batch, fund and business date.
insert into ledger.accrued_batch_day (accepted_batch_id, business_date, area_code, posting_run_id)
select distinct
    source_id,
    split_part(business_event_id, ':', 5)::date,
    area_code,
    posting_run_id
from ledger.entry
where posting_run_id = %(posting_run_id)s and event = 'accrued'
on conflict (accepted_batch_id, business_date) do nothing
