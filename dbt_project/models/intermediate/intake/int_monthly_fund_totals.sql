-- What each fund owes an institution for a month, net of refunds; budgets and statements are compared with it.
{{
    config(
        materialized='period_replace',
        period_versions='int_months__versioned',
        contract={'enforced': true},
        indexes=[{'columns': ['business_date', 'area_code']}],
        tags=['proposal'],
    )
}}
with touched_days as (

    {{ touched_days(ref('int_months__versioned')) }}

),

versions as (

    select * from {{ ref('int_months__versioned') }}

),

fund_totals as (

    select
        *,
        date_trunc('month', business_date)::date as month_start
    from {{ ref('int_daily_fund_totals') }}
    where
        business_date between
        (select min(touched_days.business_date) from touched_days)
        and (select (max(touched_days.business_date) + interval '1 month - 1 day')::date from touched_days)

)

select
    fund_totals.fixmedins_code,
    fund_totals.fund_pay_type,
    fund_totals.month_start as business_date,
    fund_totals.area_code,
    sum(fund_totals.fund_amount)::numeric(18, 2) as fund_amount,
    versions.day_version
from fund_totals
inner join touched_days
    on fund_totals.area_code = touched_days.area_code
    and fund_totals.month_start = touched_days.business_date
inner join versions
    on fund_totals.area_code = versions.area_code
    and fund_totals.month_start = versions.business_date
group by
    fund_totals.fixmedins_code,
    fund_totals.fund_pay_type,
    fund_totals.month_start,
    fund_totals.area_code,
    versions.day_version
