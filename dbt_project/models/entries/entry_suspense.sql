-- The bank booked money that no instruction explains, or that its instruction did not expect (a second debit, a debit
-- after the rejection): it stands in suspense until a person has found out.
with bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}
    where
        batch_id = {{ batch_id() }}
        and kind = 'booked'
        and outcome in ('unknown', 'not_expected')

),

instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

fund_accounts as (

    select * from {{ ref('stg_reference__fund_accounts') }}

),

-- An account that serves all funds says nothing about the fund: 000000 stands for one that nothing names.
events as (

    select
        concat_ws(':', {{ area_party('bank_entries.area_code') }}, 'suspense', bank_entries.bank_entry_id)
            as business_event_id,
        bank_entries.area_code,
        {{ area_party('bank_entries.area_code') }} as fixmedins_code,
        coalesce(instructions.fund_pay_type, fund_accounts.fund_pay_type, '000000') as fund_pay_type,
        bank_entries.booked_on as event_date,
        {{ settlement_month('bank_entries.booked_on') }} as settlement_month,
        case bank_entries.side when 'debit' then bank_entries.amount else -bank_entries.amount end
            as adjustment_amount,
        bank_entries.bank_entry_id::text as source_id,
        null::text as reverses_event_id
    from bank_entries
    left join instructions
        on bank_entries.fixmedins_code = instructions.fixmedins_code
        and bank_entries.instruction_id = instructions.instruction_id
    left join fund_accounts
        on bank_entries.area_code = fund_accounts.area_code
        and bank_entries.account_no = fund_accounts.account_no
        and bank_entries.booked_on between fund_accounts.valid_from and fund_accounts.valid_to

)

{{ entry_lines('suspense', 'events') }}
