-- Which totals each day's findings must be made of, in open settlement months.
with totals as (

    select * from {{ ref('int_days__totalled') }}

),

closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

)

select
    totals.area_code,
    totals.business_date,
    totals.day_version
from totals
left join closed_months
    on totals.area_code = closed_months.area_code
    and {{ settlement_month('totals.business_date') }} = closed_months.settlement_month
where closed_months.area_code is null
