-- What a day's payables are computed from: net fund amounts by kind of care, with what reconciliation holds apart.
with fund_totals as (

    select * from {{ ref('int_daily_fund_totals') }}

),

held_days as (

    select * from {{ ref('int_days__held') }}

),

institutions as (

    select * from {{ ref('stg_reference__institutions') }}

)

select
    fund_totals.fixmedins_code,
    fund_totals.fund_pay_type,
    fund_totals.care_class,
    fund_totals.business_date,
    fund_totals.area_code,
    institutions.institution_class,
    held_days.fixmedins_code is not null as is_held,
    sum(fund_totals.fund_amount)::numeric(18, 2) as base_amount
from fund_totals
left join held_days
    on fund_totals.fixmedins_code = held_days.fixmedins_code
    and fund_totals.insutype = held_days.insutype
    and fund_totals.clr_type = held_days.clr_type
    and fund_totals.business_date = held_days.business_date
left join institutions
    on fund_totals.fixmedins_code = institutions.fixmedins_code
    and fund_totals.business_date between institutions.valid_from and institutions.valid_to
group by
    fund_totals.fixmedins_code,
    fund_totals.fund_pay_type,
    fund_totals.care_class,
    fund_totals.business_date,
    fund_totals.area_code,
    institutions.institution_class,
    held_days.fixmedins_code is not null
