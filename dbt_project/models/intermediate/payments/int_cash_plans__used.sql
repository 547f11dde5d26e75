-- The cash plan of the pay date's month, with what requests and instructions of that month have used of it.
with cash_plans as (

    select * from {{ ref('stg_reference__cash_plans') }}

),

committed as (

    select * from {{ ref('int_payments__committed') }}
    where
        pay_date >= date_trunc('month', {{ pay_date() }})::date
        and pay_date < (date_trunc('month', {{ pay_date() }}) + interval '1 month')::date

),

used as (

    select
        area_code,
        fund_pay_type,
        sum(amount) as used_amount
    from committed
    group by
        area_code,
        fund_pay_type

),

plans as (

    select
        area_code,
        fund_pay_type,
        plan_amount,
        reserve_amount
    from cash_plans
    where
        plan_month = {{ settlement_month(pay_date()) }}
        and {{ pay_date() }} between valid_from and valid_to

)

select
    coalesce(plans.area_code, used.area_code) as area_code,
    coalesce(plans.fund_pay_type, used.fund_pay_type) as fund_pay_type,
    coalesce(plans.plan_amount, 0)::numeric(18, 2) as plan_amount,
    coalesce(plans.reserve_amount, 0)::numeric(18, 2) as reserve_amount,
    coalesce(used.used_amount, 0)::numeric(18, 2) as used_amount
from plans
full outer join used
    on plans.area_code = used.area_code
    and plans.fund_pay_type = used.fund_pay_type
