-- Movements that the bank booked and no instruction explains, or that its instruction did not expect (a second debit, a
-- debit after the rejection), with the fund whose account they moved. An account that serves several funds says nothing
-- about the fund: 000000 stands for one that nothing names.
with bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}
    where
        kind = 'booked'
        and outcome in ('unknown', 'not_expected')

),

instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

fund_accounts as (

    select * from {{ ref('stg_reference__fund_accounts') }}

)

select
    bank_entries.bank_entry_id,
    bank_entries.area_code,
    bank_entries.batch_id,
    coalesce(instructions.fund_pay_type, funds.fund_pay_type, '000000') as fund_pay_type,
    bank_entries.booked_on,
    (case bank_entries.side when 'debit' then bank_entries.amount else -bank_entries.amount end)::numeric(18, 2)
        as debit_amount
from bank_entries
left join instructions
    on bank_entries.fixmedins_code = instructions.fixmedins_code
    and bank_entries.instruction_id = instructions.instruction_id
left join lateral (
    select min(fund_accounts.fund_pay_type) as fund_pay_type
    from fund_accounts
    where
        bank_entries.area_code = fund_accounts.area_code
        and bank_entries.account_no = fund_accounts.account_no
        and bank_entries.booked_on between fund_accounts.valid_from and fund_accounts.valid_to
    having count(*) = 1
) as funds on true
