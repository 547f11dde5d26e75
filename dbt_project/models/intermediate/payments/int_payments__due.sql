-- What is due on the pay date: entitled so far minus what is already on its way, by open settlement month.
with open_days as (

    select * from {{ ref('int_payable_days__versioned') }}

),

-- Months that are closed throughout are not read: the sum over the open ones does not grow with history.
payables as (

    select * from {{ ref('int_daily_payables') }}
    where
        business_date >= (
            select coalesce(date_trunc('month', min(open_days.business_date))::date, date '-infinity') from open_days
        )

),

committed as (

    select * from {{ ref('int_payments__committed') }}

),

closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

entitled as (

    select
        payables.area_code,
        payables.fixmedins_code,
        payables.fund_pay_type,
        payables.settlement_month,
        sum(payables.entitled_amount) as entitled_amount
    from payables
    left join closed_months
        on payables.area_code = closed_months.area_code
        and payables.settlement_month = closed_months.settlement_month
    where
        closed_months.area_code is null
        and payables.payable_from <= {{ pay_date() }}
        and {{ in_run_area('payables.area_code') }}
    group by
        payables.area_code,
        payables.fixmedins_code,
        payables.fund_pay_type,
        payables.settlement_month

),

committed_by_month as (

    select
        committed.area_code,
        committed.fixmedins_code,
        committed.fund_pay_type,
        committed.settlement_month,
        sum(committed.amount) as committed_amount
    from committed
    where
        committed.settlement_month between
        (select min(entitled.settlement_month) from entitled)
        and (select max(entitled.settlement_month) from entitled)
    group by
        committed.area_code,
        committed.fixmedins_code,
        committed.fund_pay_type,
        committed.settlement_month

)

select
    entitled.area_code,
    entitled.fixmedins_code,
    entitled.fund_pay_type,
    entitled.settlement_month,
    entitled.entitled_amount,
    coalesce(committed_by_month.committed_amount, 0) as committed_amount,
    (entitled.entitled_amount - coalesce(committed_by_month.committed_amount, 0))::numeric(18, 2) as due_amount
from entitled
left join committed_by_month
    on entitled.area_code = committed_by_month.area_code
    and entitled.fixmedins_code = committed_by_month.fixmedins_code
    and entitled.fund_pay_type = committed_by_month.fund_pay_type
    and entitled.settlement_month = committed_by_month.settlement_month
