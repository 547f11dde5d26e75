-- Which totals, reconciliations and policies each day's payables must be made of, in open settlement months.
with totals as (

    select * from {{ ref('int_days__totalled') }}

),

closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

open_days as (

    select
        totals.area_code,
        totals.business_date,
        totals.day_version
    from totals
    left join closed_months
        on totals.area_code = closed_months.area_code
        and {{ settlement_month('totals.business_date') }} = closed_months.settlement_month
    where closed_months.area_code is null

),

-- Only what reaches into open days: what closed months were reconciled to is not read again.
reconciliations as (

    select distinct
        area_code,
        business_date,
        period_end_date,
        day_version
    from {{ ref('int_settlements__reconciled') }}
    where period_end_date >= (select min(open_days.business_date) from open_days)

),

-- Policies, classes and declarations duties are reference data; a later delivery may change past days.
reference_deliveries as (

    select coalesce(max(load_id), 0) as newest_load_id
    from {{ ref('stg_intake__batches') }}
    where kind = 'reference' and status = 'accepted'

)

select
    open_days.area_code,
    open_days.business_date,
    concat_ws(
        '|',
        open_days.day_version,
        reference_deliveries.newest_load_id,
        string_agg(distinct reconciliations.day_version, ',' order by reconciliations.day_version)
    ) as day_version
from open_days
cross join reference_deliveries
left join reconciliations
    on open_days.area_code = reconciliations.area_code
    and open_days.business_date between reconciliations.business_date and reconciliations.period_end_date
group by
    open_days.area_code,
    open_days.business_date,
    open_days.day_version,
    reference_deliveries.newest_load_id
