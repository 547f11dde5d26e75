-- What each fund owes an institution for each budget year that the run still settles, up to the pay date.
with closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

working_days as (

    select * from {{ ref('working_days') }}

),

-- From the first day of the year that the month before belongs to: in January last year's, else this year's.
whole_months as (

    select * from {{ ref('int_monthly_fund_totals') }}
    where
        business_date >= date_trunc('year', {{ pay_date() }} - interval '1 month')::date
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

amounts as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        business_date,
        fund_amount
    from whole_months
    union all
    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        business_date,
        fund_amount
    from current_month

),

closed_decembers as (

    select area_code
    from closed_months
    where settlement_month = {{ settlement_month("date_trunc('year', " ~ pay_date() ~ ") - interval '1 day'") }}

),

last_january_day as (

    select max(date) as date
    from working_days
    where
        is_working_day
        and date >= date_trunc('year', {{ pay_date() }})
        and date < date_trunc('year', {{ pay_date() }}) + interval '1 month'

)

select
    amounts.area_code,
    amounts.fixmedins_code,
    amounts.fund_pay_type,
    extract(year from amounts.business_date)::integer as budget_year,
    sum(amounts.fund_amount)::numeric(18, 2) as year_amount
from amounts
cross join last_january_day
left join closed_decembers
    on amounts.area_code = closed_decembers.area_code
-- Runs of January still pay the year before while its December is open: its last days, weeks and months, and what comes
-- late. The last run of January lets it go, so that a suspension for the old year is lifted in time and payment resumes
-- with February: an overrun of last year costs January's daily payments, never more of this year's.
where
    amounts.business_date >= date_trunc('year', {{ pay_date() }})
    or ({{ pay_date() }} < last_january_day.date and closed_decembers.area_code is null)
group by
    amounts.area_code,
    amounts.fixmedins_code,
    amounts.fund_pay_type,
    extract(year from amounts.business_date)
