-- Which batches each day's totals must be made of, as a version that changes when one comes or is stopped.
with accepted_days as (

    select * from {{ ref('stg_raw__accepted_days') }}

),

stopped_batches as (

    select * from {{ ref('stg_intake__stopped_batches') }}

),

closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

accrued_batch_days as (

    select * from {{ ref('stg_ledger__accrued_batch_days') }}

),

-- Days of a closed month stay as they are, unless a late batch of them is not in the books yet.
days_to_watch as (

    select distinct
        accepted_days.area_code,
        accepted_days.business_date
    from accepted_days
    left join closed_months
        on accepted_days.area_code = closed_months.area_code
        and {{ settlement_month('accepted_days.business_date') }} = closed_months.settlement_month
    left join accrued_batch_days
        on accepted_days.accepted_batch_id = accrued_batch_days.accepted_batch_id
        and accepted_days.business_date = accrued_batch_days.business_date
    where closed_months.area_code is null or accrued_batch_days.area_code is null

)

select
    accepted_days.area_code,
    accepted_days.business_date,
    concat(
        coalesce(max(accepted_days.load_id) filter (where stopped_batches.batch_id is null), 0),
        '/',
        count(*) filter (where stopped_batches.batch_id is null)
    ) as day_version
from accepted_days
inner join days_to_watch
    on accepted_days.area_code = days_to_watch.area_code
    and accepted_days.business_date = days_to_watch.business_date
left join stopped_batches
    on accepted_days.accepted_batch_id = stopped_batches.batch_id
group by
    accepted_days.area_code,
    accepted_days.business_date
