-- Money that stood in suspense is explained: the run's batch brings the debit of a payment whose return came before it, or
-- the transactions of an entry that came as a whole. What the money was is booked by the entries of its transactions.
with bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}

),

in_suspense as (

    select * from {{ ref('int_bank_entries__in_suspense') }}

),

payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}

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

explained as (

    select
        in_suspense.bank_entry_id,
        in_suspense.bank_entry_id::text as cleared_id,
        in_suspense.area_code,
        in_suspense.fund_pay_type,
        payment_events.event_date,
        in_suspense.booked_on,
        in_suspense.debit_amount
    from paid_of_batch
    inner join payment_events
        on paid_of_batch.fixmedins_code = payment_events.fixmedins_code
        and paid_of_batch.instruction_id = payment_events.instruction_id
        and payment_events.event = 'returned'
    inner join in_suspense
        on payment_events.bank_entry_id = in_suspense.bank_entry_id
    union all
    -- A transaction takes its part from the entry that came as a whole.
    select
        in_suspense.bank_entry_id,
        concat_ws(':', in_suspense.bank_entry_id, bank_entries.bank_entry_id) as cleared_id,
        in_suspense.area_code,
        in_suspense.fund_pay_type,
        bank_entries.booked_on as event_date,
        in_suspense.booked_on,
        case bank_entries.side when 'debit' then bank_entries.amount else -bank_entries.amount end as debit_amount
    from bank_entries
    inner join in_suspense
        on bank_entries.explains_bank_entry_id = in_suspense.bank_entry_id
    where bank_entries.batch_id = {{ batch_id() }}

),

events as (

    select
        concat_ws(':', {{ area_party('area_code') }}, 'suspense_cleared', cleared_id) as business_event_id,
        area_code,
        {{ area_party('area_code') }} as fixmedins_code,
        fund_pay_type,
        event_date,
        {{ settlement_month('booked_on') }} as settlement_month,
        debit_amount as adjustment_amount,
        bank_entry_id::text as source_id,
        concat_ws(':', {{ area_party('area_code') }}, 'suspense', bank_entry_id) as reverses_event_id
    from explained

)

{{ entry_lines('suspense_cleared', 'events') }}
