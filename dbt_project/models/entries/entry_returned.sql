-- A booked payment came back: the booking is reversed and the money is payable again. Events of the run's batch, and
-- those of an earlier batch's credit whose debit is in the run's batch.
with bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}
    where batch_id = {{ batch_id() }}

),

payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}

),

instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

instructions_of_batch as (

    select distinct
        payment_events.fixmedins_code,
        payment_events.instruction_id
    from bank_entries
    inner join payment_events
        on bank_entries.bank_entry_id = payment_events.bank_entry_id
    where payment_events.event in ('paid', 'returned')

),

events as (

    select
        concat_ws(':', instructions.fixmedins_code, 'returned', instructions.instruction_id) as business_event_id,
        instructions.area_code,
        instructions.fixmedins_code,
        instructions.fund_pay_type,
        payment_events.event_date,
        instructions.settlement_month,
        instructions.amount as adjustment_amount,
        payment_events.bank_entry_id::text as source_id,
        concat_ws(':', instructions.fixmedins_code, 'paid', instructions.instruction_id) as reverses_event_id
    from instructions_of_batch
    inner join payment_events
        on instructions_of_batch.fixmedins_code = payment_events.fixmedins_code
        and instructions_of_batch.instruction_id = payment_events.instruction_id
        and payment_events.event = 'returned'
    inner join instructions
        on payment_events.fixmedins_code = instructions.fixmedins_code
        and payment_events.instruction_id = instructions.instruction_id

)

{{ entry_lines('returned', 'events') }}
