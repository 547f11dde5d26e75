-- Instruct a payment: the payable becomes money in transit. Instructions of the run's pay date.
with instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}
    where
        pay_date = {{ pay_date() }}
        and {{ in_run_area('area_code') }}

),

-- Without a bank account nothing is sent, so the money stays payable.
events as (

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

)

{{ entry_lines('instructed', 'events') }}
