-- How many working days each daily payment took, from the oldest business date it settles to the bank's booking,
-- against the limit. What the bank sent back settled nothing and has no result.
with instructions as (

    select * from {{ ref('fct_payment_instructions') }}
    where purpose = 'daily' and status not in ('no_account', 'account_changed', 'disputed', 'suspended')

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

-- Up to which pay date an earlier payment of the same institution, fund and month has settled what was payable.
instructions_in_order as (

    select
        *,
        max(instructed_on) filter (where status in ('instructed', 'paid')) over (
            partition by fixmedins_code, fund_pay_type, settlement_month
            order by instructed_on
            range between unbounded preceding and interval '1 day' preceding
        ) as settled_until
    from instructions

),

-- The clock starts on the oldest business date that no earlier payment has settled. A payment that only tops up
-- settled dates (a late batch, a hold that ended) has none: its clock starts on the newest date payable.
clocks as (

    select
        instructions_in_order.instruction_id,
        instructions_in_order.area_code,
        instructions_in_order.fixmedins_code,
        instructions_in_order.fund_pay_type,
        instructions_in_order.settlement_month,
        instructions_in_order.instructed_on as pay_date,
        instructions_in_order.status,
        instructions_in_order.amount,
        instructions_in_order.paid_on,
        coalesce(
            min(payables.business_date) filter (
                where payables.payable_from > coalesce(instructions_in_order.settled_until, date '-infinity')
            ),
            max(payables.business_date)
        ) as clock_starts_on
    from instructions_in_order
    left join payables
        on instructions_in_order.fixmedins_code = payables.fixmedins_code
        and instructions_in_order.fund_pay_type = payables.fund_pay_type
        and instructions_in_order.settlement_month = payables.settlement_month
        and payables.entitled_amount > 0
        and instructions_in_order.instructed_on >= payables.payable_from
    group by
        instructions_in_order.instruction_id,
        instructions_in_order.area_code,
        instructions_in_order.fixmedins_code,
        instructions_in_order.fund_pay_type,
        instructions_in_order.settlement_month,
        instructions_in_order.instructed_on,
        instructions_in_order.status,
        instructions_in_order.amount,
        instructions_in_order.paid_on

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
    and clocks.status = 'paid'
left join settings
    on clocks.pay_date between settings.valid_from and coalesce(settings.valid_to, date 'infinity')
