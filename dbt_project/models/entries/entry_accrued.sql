-- Accrue what a batch's accepted settlements claim from each fund: benefit expense against the payable.
{{
    config(
        materialized='period_replace',
        period_predicate=in_run_area('area_code'),
        tags=['proposal'],
    )
}}
with unaccrued_days as (

    select * from {{ ref('int_batch_days__unaccrued') }}

),

fund_totals as (

    select *
    from {{ ref('int_daily_fund_totals') }}
    where
        business_date between
        (select min(unaccrued_days.business_date) from unaccrued_days)
        and (select max(unaccrued_days.business_date) from unaccrued_days)

),

amounts as (

    select
        fund_totals.fixmedins_code,
        fund_totals.accepted_batch_id,
        fund_totals.fund_pay_type,
        fund_totals.business_date,
        fund_totals.area_code,
        sum(fund_totals.fund_amount) as adjustment_amount
    from fund_totals
    inner join unaccrued_days
        on fund_totals.accepted_batch_id = unaccrued_days.accepted_batch_id
        and fund_totals.business_date = unaccrued_days.business_date
    group by
        fund_totals.fixmedins_code,
        fund_totals.accepted_batch_id,
        fund_totals.fund_pay_type,
        fund_totals.business_date,
        fund_totals.area_code

),

events as (

    select
        concat_ws(':', fixmedins_code, 'accrued', accepted_batch_id, fund_pay_type, business_date) as business_event_id,
        area_code,
        fixmedins_code,
        fund_pay_type,
        business_date as event_date,
        {{ settlement_month('business_date') }} as settlement_month,
        adjustment_amount,
        accepted_batch_id as source_id,
        null::text as reverses_event_id
    from amounts

)

{{ entry_lines('accrued', 'events') }}
