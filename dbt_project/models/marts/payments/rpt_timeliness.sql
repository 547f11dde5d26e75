-- How many working days each daily payment took from the business date to the bank's booking, against the limit.
with instructions as (

    select * from {{ ref('fct_payment_instructions') }}
    where purpose = 'daily' and status <> 'no_account'

),

payables as (

    select * from {{ ref('int_daily_payables') }}

),

working_days as (

    select * from {{ ref('int_working_days__numbered') }}

),

settings as (

    select * from {{ ref('settings') }}
    where setting = 'daily_payment_limit'

),

-- The clock starts on the newest business date that the payment settles.
clocks as (

    select
        instructions.instruction_id,
        instructions.area_code,
        instructions.fixmedins_code,
        instructions.fund_pay_type,
        instructions.settlement_month,
        instructions.instructed_on as pay_date,
        instructions.status,
        instructions.amount,
        instructions.paid_on,
        newest_payables.business_date as clock_starts_on
    from instructions
    cross join lateral (
        select max(payables.business_date) as business_date
        from payables
        where
            payables.fixmedins_code = instructions.fixmedins_code
            and payables.fund_pay_type = instructions.fund_pay_type
            and payables.settlement_month = instructions.settlement_month
            and payables.entitled_amount > 0
            and payables.payable_from <= instructions.instructed_on
    ) as newest_payables

)

select
    clocks.instruction_id,
    clocks.area_code,
    clocks.fixmedins_code,
    clocks.fund_pay_type,
    clocks.settlement_month,
    clocks.pay_date,
    clocks.status,
    clocks.amount,
    clocks.clock_starts_on,
    clocks.paid_on,
    (paid_days.working_day_number - start_days.working_day_number)::integer as days_to_pay,
    settings.value::integer as limit_days,
    paid_days.working_day_number - start_days.working_day_number <= settings.value as is_within_limit
from clocks
left join working_days as start_days
    on clocks.clock_starts_on = start_days.date
left join working_days as paid_days
    on clocks.paid_on = paid_days.date
left join settings
    on clocks.pay_date between settings.valid_from and coalesce(settings.valid_to, date 'infinity')
