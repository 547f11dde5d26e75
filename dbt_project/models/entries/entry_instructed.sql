-- Instruct a payment: the payable becomes money in transit. Instructions of the run's pay date not yet in the books.
with instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}
    where
        pay_date = {{ pay_date() }}
        and {{ in_run_area('area_code') }}

),

entries as (

    select * from {{ ref('stg_ledger__entries') }}

),

-- Without a bank account nothing is sent, so the money stays payable.
sent as (

    select
        concat_ws(':', fixmedins_code, 'instructed', instruction_id) as business_event_id,
        area_code,
        fixmedins_code,
        fund_pay_type,
        pay_date as event_date,
        settlement_month,
        amount as adjustment_amount,
        instruction_id::text as source_id,
        null::text as reverses_event_id
    from instructions
    where has_account

),

-- What is booked stays as it was booked: once the month of the pay date is closed, the others of that date are booked
-- on a later day, and the same event on another day would differ from the books.
events as (

    select sent.*
    from sent
    left join entries
        on sent.fixmedins_code = entries.fixmedins_code
        and sent.business_event_id = entries.business_event_id
    where entries.business_event_id is null

)

{{ entry_lines('instructed', 'events') }}
