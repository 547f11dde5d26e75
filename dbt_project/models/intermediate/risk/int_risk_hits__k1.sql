-- K1: the amount of the year so far is above the budget, of an institution or of a whole area.
with whole_months as (

    select * from {{ ref('int_monthly_fund_totals') }}
    where
        business_date >= date_trunc('year', {{ pay_date() }})::date
        and business_date < date_trunc('month', {{ pay_date() }})::date
        and {{ in_run_area('area_code') }}

),

-- Of the pay date's own month only what the run settles: the business dates before the pay date. What has arrived of
-- later days must not count, or the same pay date would give another answer tomorrow.
current_month as (

    select * from {{ ref('int_daily_fund_totals') }}
    where
        business_date >= date_trunc('month', {{ pay_date() }})::date
        and business_date < {{ pay_date() }}
        and {{ in_run_area('area_code') }}

),

totals as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        fund_amount
    from whole_months
    union all
    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        fund_amount
    from current_month

),

institution_budgets as (

    select * from {{ ref('stg_reference__institution_budgets') }}
    where
        budget_year = extract(year from {{ pay_date() }})
        and {{ pay_date() }} between valid_from and valid_to

),

fund_budgets as (

    select * from {{ ref('stg_reference__fund_budgets') }}
    where
        budget_year = extract(year from {{ pay_date() }})
        and {{ pay_date() }} between valid_from and valid_to

),

rules as (

    select * from {{ ref('int_risk_rules__in_force') }}
    where rule_code = 'K1'

),

institutions_over_budget as (

    select
        totals.area_code,
        totals.fixmedins_code,
        totals.fund_pay_type,
        institution_budgets.budget_amount,
        sum(totals.fund_amount) as year_amount
    from totals
    inner join institution_budgets
        on totals.fixmedins_code = institution_budgets.fixmedins_code
        and totals.fund_pay_type = institution_budgets.fund_pay_type
    group by
        totals.area_code,
        totals.fixmedins_code,
        totals.fund_pay_type,
        institution_budgets.budget_amount

),

-- A budget by care class counts with its total: the rule compares the year of a fund, not of a class.
area_budgets as (

    select
        area_code,
        fund_pay_type,
        coalesce(
            max(budget_amount) filter (where care_class = 'all'),
            sum(budget_amount)
        ) as budget_amount
    from fund_budgets
    group by
        area_code,
        fund_pay_type

),

areas_over_budget as (

    select
        totals.area_code,
        {{ area_party('totals.area_code') }} as fixmedins_code,
        totals.fund_pay_type,
        area_budgets.budget_amount,
        sum(totals.fund_amount) as year_amount
    from totals
    inner join area_budgets
        on totals.area_code = area_budgets.area_code
        and totals.fund_pay_type = area_budgets.fund_pay_type
    group by
        totals.area_code,
        totals.fund_pay_type,
        area_budgets.budget_amount

),

years as (

    select * from institutions_over_budget
    union all
    select * from areas_over_budget

)

select
    years.area_code,
    years.fixmedins_code,
    years.fund_pay_type,
    rules.rule_code,
    rules.action,
    jsonb_build_object(
        'year_amount', years.year_amount,
        'budget_amount', years.budget_amount,
        'threshold', rules.threshold
    ) as evidence
from years
inner join rules
    on years.area_code = rules.area_code
where years.year_amount > years.budget_amount * rules.threshold
