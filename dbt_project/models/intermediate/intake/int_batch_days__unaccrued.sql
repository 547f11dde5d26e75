-- Batch days whose settlements are added up but not in the books yet; the posting marks them as accrued.
{{
    config(
        materialized='period_replace',
        period_predicate=in_run_area('area_code'),
        contract={'enforced': true},
        tags=['proposal'],
    )
}}
with totals as (

    select * from {{ ref('int_settlements__totalled') }}

),

accepted_days as (

    select * from {{ ref('stg_raw__accepted_days') }}

),

accrued_batch_days as (

    select * from {{ ref('stg_ledger__accrued_batch_days') }}

),

unaccrued_days as (

    select
        accepted_days.accepted_batch_id,
        accepted_days.business_date,
        accepted_days.area_code
    from accepted_days
    left join accrued_batch_days
        on accepted_days.accepted_batch_id = accrued_batch_days.accepted_batch_id
        and accepted_days.business_date = accrued_batch_days.business_date
    where accrued_batch_days.accepted_batch_id is null

)

-- Only what the totals contain: a batch that was loaded after them, or is stopped, waits for the next run. So does what
-- a run for an earlier pay date finds.
select
    unaccrued_days.accepted_batch_id,
    unaccrued_days.business_date,
    unaccrued_days.area_code
from unaccrued_days
where
    unaccrued_days.business_date < {{ pay_date() }}
    and {{ in_run_area('unaccrued_days.area_code') }}
    and not {{ is_paid_later('unaccrued_days.area_code') }}
    and exists (
        select
        from totals
        where
            totals.accepted_batch_id = unaccrued_days.accepted_batch_id
            and totals.business_date = unaccrued_days.business_date
            and totals.business_date between
            (select min(first_days.business_date) from unaccrued_days as first_days)
            and (select max(last_days.business_date) from unaccrued_days as last_days)
    )
