-- K1: the amount of a year that the run still settles is above its budget, of an institution or of a whole area.
with totals as (

    select * from {{ ref('int_budget_years__totalled') }}

),

-- A budget may end with its year, or be corrected after it: of a year that is over, the newest row since its last day.
institution_budgets as (

    select distinct on (fixmedins_code, fund_pay_type, budget_year)
        fixmedins_code,
        fund_pay_type,
        budget_year,
        budget_amount
    from {{ ref('stg_reference__institution_budgets') }}
    where
        valid_from <= {{ pay_date() }}
        and valid_to >= least({{ pay_date() }}, make_date(budget_year, 12, 31))
    order by
        fixmedins_code asc,
        fund_pay_type asc,
        budget_year asc,
        valid_from desc

),

fund_budgets as (

    select distinct on (area_code, fund_pay_type, budget_year, care_class)
        area_code,
        fund_pay_type,
        budget_year,
        care_class,
        budget_amount
    from {{ ref('stg_reference__fund_budgets') }}
    where
        valid_from <= {{ pay_date() }}
        and valid_to >= least({{ pay_date() }}, make_date(budget_year, 12, 31))
    order by
        area_code asc,
        fund_pay_type asc,
        budget_year asc,
        care_class asc,
        valid_from desc

),

rules as (

    select * from {{ ref('int_risk_rules__in_force') }}
    where rule_code = 'K1'

),

institution_years as (

    select
        totals.area_code,
        totals.fixmedins_code,
        totals.fund_pay_type,
        totals.budget_year,
        institution_budgets.budget_amount,
        totals.year_amount
    from totals
    inner join institution_budgets
        on totals.fixmedins_code = institution_budgets.fixmedins_code
        and totals.fund_pay_type = institution_budgets.fund_pay_type
        and totals.budget_year = institution_budgets.budget_year

),

-- A budget by care class counts with its total: the rule compares the year of a fund, not of a class.
area_budgets as (

    select
        area_code,
        fund_pay_type,
        budget_year,
        coalesce(
            max(budget_amount) filter (where care_class = 'all'),
            sum(budget_amount)
        ) as budget_amount
    from fund_budgets
    group by
        area_code,
        fund_pay_type,
        budget_year

),

area_years as (

    select
        totals.area_code,
        {{ area_party('totals.area_code') }} as fixmedins_code,
        totals.fund_pay_type,
        totals.budget_year,
        area_budgets.budget_amount,
        sum(totals.year_amount) as year_amount
    from totals
    inner join area_budgets
        on totals.area_code = area_budgets.area_code
        and totals.fund_pay_type = area_budgets.fund_pay_type
        and totals.budget_year = area_budgets.budget_year
    group by
        totals.area_code,
        totals.fund_pay_type,
        totals.budget_year,
        area_budgets.budget_amount

),

years as (

    select * from institution_years
    union all
    select * from area_years

)

-- One suspension stands for both years; the newer one is named, since it outlasts January.
select distinct on (years.area_code, years.fixmedins_code, years.fund_pay_type)
    years.area_code,
    years.fixmedins_code,
    years.fund_pay_type,
    rules.rule_code,
    rules.action,
    jsonb_build_object(
        'budget_year', years.budget_year,
        'year_amount', years.year_amount,
        'budget_amount', years.budget_amount,
        'threshold', rules.threshold
    ) as evidence
from years
inner join rules
    on years.area_code = rules.area_code
where years.year_amount > years.budget_amount * rules.threshold
order by
    years.area_code asc,
    years.fixmedins_code asc,
    years.fund_pay_type asc,
    years.budget_year desc
