-- What an institution is paid by head in a year: the whole, each age band's part by risk, what is paid monthly and what
-- waits for the assessment. (90-drg-dip.md §4.9: capitation)
with newest_contracts as (

    -- Heads and amounts that were agreed anew within the year stand for those before.
    select distinct on (area_code, fixmedins_code, fund_pay_type, budget_year, age_band) *
    from {{ ref('stg_reference__capitation_contracts') }}
    where valid_to >= make_date(budget_year, 1, 1)
    order by
        area_code asc,
        fixmedins_code asc,
        fund_pay_type asc,
        budget_year asc,
        age_band asc,
        valid_from desc

),

contracts as (

    select
        *,
        heads * risk_weight as risk_heads,
        sum(heads * head_amount) over (
            partition by area_code, fixmedins_code, fund_pay_type, budget_year
        ) as year_amount
    from newest_contracts

),

bands as (

    {{ split_by_largest_remainder(
        'contracts', 'year_amount', 'risk_heads', 'area_code, fixmedins_code, fund_pay_type, budget_year', 'age_band'
    ) }}

)

select
    area_code,
    fixmedins_code,
    fund_pay_type,
    budget_year,
    age_band,
    heads::integer as heads,
    risk_weight::numeric(10, 4) as risk_weight,
    year_amount::numeric(18, 2) as year_amount,
    share_amount::numeric(18, 2) as band_amount,
    round(
        sum(risk_heads) over (partition by area_code, fixmedins_code, fund_pay_type, budget_year)
        / sum(heads) over (partition by area_code, fixmedins_code, fund_pay_type, budget_year), 6
    )::numeric(9, 6) as mean_risk_weight,
    {{ yuan('year_amount * paid_monthly_rate') }} as paid_monthly_amount,
    (year_amount - {{ yuan('year_amount * paid_monthly_rate') }})::numeric(18, 2) as held_amount
from bands
