-- Money that stood in suspense is explained: the run's batch brings the debit of a payment whose return came before it.
-- The suspense entry is reversed; what the money was is booked by entry_paid and entry_returned.
with bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}

),

payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}

),

instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

paid_of_batch as (

    select
        payment_events.fixmedins_code,
        payment_events.instruction_id
    from bank_entries
    inner join payment_events
        on bank_entries.bank_entry_id = payment_events.bank_entry_id
    where
        bank_entries.batch_id = {{ batch_id() }}
        and payment_events.event = 'paid'

),

events as (

    select
        concat_ws(':', {{ area_party('bank_entries.area_code') }}, 'suspense_cleared', bank_entries.bank_entry_id)
            as business_event_id,
        bank_entries.area_code,
        {{ area_party('bank_entries.area_code') }} as fixmedins_code,
        instructions.fund_pay_type,
        payment_events.event_date,
        {{ settlement_month('bank_entries.booked_on') }} as settlement_month,
        case bank_entries.side when 'debit' then bank_entries.amount else -bank_entries.amount end
            as adjustment_amount,
        bank_entries.bank_entry_id::text as source_id,
        concat_ws(':', {{ area_party('bank_entries.area_code') }}, 'suspense', bank_entries.bank_entry_id)
            as reverses_event_id
    from paid_of_batch
    inner join payment_events
        on paid_of_batch.fixmedins_code = payment_events.fixmedins_code
        and paid_of_batch.instruction_id = payment_events.instruction_id
        and payment_events.event = 'returned'
    inner join bank_entries
        on payment_events.bank_entry_id = bank_entries.bank_entry_id
        and bank_entries.outcome = 'not_expected'
    inner join instructions
        on payment_events.fixmedins_code = instructions.fixmedins_code
        and payment_events.instruction_id = instructions.instruction_id

)

{{ entry_lines('suspense_cleared', 'events') }}
