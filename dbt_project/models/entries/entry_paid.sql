-- The bank has booked a payment: money in transit leaves the expenditure account. Events of the run's batch.
with bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}
    where batch_id = {{ batch_id() }}

),

payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event = 'paid'

),

instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

events as (

    select
        concat_ws(':', instructions.fixmedins_code, 'paid', instructions.instruction_id) as business_event_id,
        instructions.area_code,
        instructions.fixmedins_code,
        instructions.fund_pay_type,
        payment_events.event_date,
        instructions.settlement_month,
        instructions.amount as adjustment_amount,
        bank_entries.bank_entry_id::text as source_id,
        null::text as reverses_event_id
    from bank_entries
    inner join payment_events
        on bank_entries.bank_entry_id = payment_events.bank_entry_id
    inner join instructions
        on payment_events.fixmedins_code = instructions.fixmedins_code
        and payment_events.instruction_id = instructions.instruction_id

)

{{ entry_lines('paid', 'events') }}
