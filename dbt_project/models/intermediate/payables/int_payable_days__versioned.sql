-- Which totals, reconciliations and policies each day's payables must be made of, in open settlement months.
with totals as (

    select distinct
        area_code,
        business_date,
        day_version
    from {{ ref('int_settlements__totalled') }}

),

reconciliations as (

    select distinct
        area_code,
        business_date,
        period_end_date,
        day_version
    from {{ ref('int_settlements__reconciled') }}

),

closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

-- Policies, classes and declarations duties are reference data; a later delivery may change past days.
reference_deliveries as (

    select coalesce(max(load_id), 0) as newest_load_id
    from {{ ref('stg_intake__batches') }}
    where kind = 'reference' and status = 'accepted'

)

select
    totals.area_code,
    totals.business_date,
    concat_ws(
        '|',
        totals.day_version,
        reference_deliveries.newest_load_id,
        string_agg(distinct reconciliations.day_version, ',' order by reconciliations.day_version)
    ) as day_version
from totals
cross join reference_deliveries
left join reconciliations
    on totals.area_code = reconciliations.area_code
    and totals.business_date between reconciliations.business_date and reconciliations.period_end_date
left join closed_months
    on totals.area_code = closed_months.area_code
    and {{ settlement_month('totals.business_date') }} = closed_months.settlement_month
where closed_months.area_code is null
group by
    totals.area_code,
    totals.business_date,
    totals.day_version,
    reference_deliveries.newest_load_id
