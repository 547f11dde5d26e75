-- What a fund has for the cases of a scheme in the booked month: the month's share of the year's inpatient budget
-- without the reserve and without what is booked outside points; without a budget, what was accrued for the cases.
{{ config(materialized='work_table', tags=['case_booking']) }}
with cases as (

    select * from {{ ref('int_cases__to_price') }}

),

bed_days as (

    select * from {{ ref('int_cases__bed_days') }}

),

budgets as (

    select * from {{ ref('stg_reference__fund_budgets') }}
    where
        care_class = 'inpatient'
        and budget_year = left({{ booked_month() }}, 4)::integer
        and {{ booked_month_end() }} between valid_from and valid_to

),

month_shares as (

    select * from {{ ref('budget_month_shares') }}
    where {{ booked_month_end() }} between valid_from and coalesce(valid_to, date 'infinity')

),

-- An area's own shares of the months before those of all areas.
budget_months as (

    select
        budgets.area_code,
        budgets.fund_pay_type,
        round(budgets.budget_amount * (1 - budgets.risk_reserve_rate), 2) as year_amount,
        month_shares.month_no,
        month_shares.weight
    from budgets
    inner join month_shares
        on coalesce(month_shares.area_code, budgets.area_code) = budgets.area_code
        and (
            month_shares.area_code is not null
            or not exists (
                select 1 from month_shares as own_shares
                where own_shares.area_code = budgets.area_code
            )
        )

),

month_budgets as (

    {{ split_by_largest_remainder('budget_months', 'year_amount', 'weight', 'area_code, fund_pay_type', 'month_no') }}

),

outside_points as (

    select
        cases.area_code,
        cases.fund_pay_type,
        sum(coalesce(bed_days.fund_amount, cases.accrued_amount)) as booked_amount
    from cases
    left join bed_days
        on cases.fixmedins_code = bed_days.fixmedins_code
        and cases.setl_id = bed_days.setl_id
    where not cases.is_pooled
    group by
        cases.area_code,
        cases.fund_pay_type

),

pools as (

    select
        area_code,
        fund_pay_type,
        scheme_version,
        settlement_month,
        count(*) as case_count,
        sum(total_cost_amount) as total_cost_amount,
        sum(accrued_amount) as accrued_amount,
        sum(other_paid_amount) as other_paid_amount
    from cases
    where is_pooled
    group by
        area_code,
        fund_pay_type,
        scheme_version,
        settlement_month

),

budgeted as (

    select
        pools.*,
        -- Null without a budget; greatest() alone would pass over the null and give 0.
        case
            when month_budgets.share_amount is not null
                then greatest(month_budgets.share_amount - coalesce(outside_points.booked_amount, 0), 0)
        end as budgeted_amount
    from pools
    left join month_budgets
        on pools.area_code = month_budgets.area_code
        and pools.fund_pay_type = month_budgets.fund_pay_type
        and right(pools.settlement_month, 2)::integer = month_budgets.month_no
    left join outside_points
        on pools.area_code = outside_points.area_code
        and pools.fund_pay_type = outside_points.fund_pay_type

),

-- Where several schemes draw on one budget, what was accrued for their cases divides it.
with_budget as (

    select
        *,
        greatest(accrued_amount, 0.01) as budget_weight
    from budgeted
    where budgeted_amount is not null

),

divided as (

    {{ split_by_largest_remainder(
        'with_budget', 'budgeted_amount', 'budget_weight', 'area_code, fund_pay_type', 'scheme_version'
    ) }}

)

select
    area_code,
    fund_pay_type,
    scheme_version,
    settlement_month,
    case_count,
    total_cost_amount,
    accrued_amount,
    other_paid_amount,
    share_amount as fund_amount,
    'budget' as fund_source
from divided

union all

select
    area_code,
    fund_pay_type,
    scheme_version,
    settlement_month,
    case_count,
    total_cost_amount,
    accrued_amount,
    other_paid_amount,
    greatest(accrued_amount, 0) as fund_amount,
    'accrued' as fund_source
from budgeted
where budgeted_amount is null
