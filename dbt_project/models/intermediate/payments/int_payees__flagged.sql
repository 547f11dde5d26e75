-- Institutions whose account asks for a person's approval: another one than they were paid to last or, where every
-- payment failed, than was tried last; and, before the first try, one that another institution is paid to.
with bank_accounts as (

    select * from {{ ref('stg_reference__bank_accounts') }}
    where {{ pay_date() }} between valid_from and valid_to

),

instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}
    where has_account

),

failed_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event in ('rejected', 'returned')

),

payees as (

    select
        bank_accounts.fixmedins_code,
        bank_accounts.account_name,
        bank_accounts.account_no,
        bank_accounts.bank_code,
        coalesce(last_payment.account_name, last_try.account_name) as last_account_name,
        coalesce(last_payment.account_no, last_try.account_no) as last_account_no,
        coalesce(last_payment.bank_code, last_try.bank_code) as last_bank_code
    from bank_accounts
    left join lateral (
        select
            instructions.account_name,
            instructions.account_no,
            instructions.bank_code
        from instructions
        where
            instructions.fixmedins_code = bank_accounts.fixmedins_code
            and not exists (
                select
                from failed_events
                where
                    failed_events.fixmedins_code = instructions.fixmedins_code
                    and failed_events.instruction_id = instructions.instruction_id
            )
        order by instructions.pay_date desc, instructions.sequence desc
        limit 1
    ) as last_payment on true
    left join lateral (
        select
            instructions.account_name,
            instructions.account_no,
            instructions.bank_code
        from instructions
        where
            instructions.fixmedins_code = bank_accounts.fixmedins_code
            and last_payment.account_no is null
        order by instructions.pay_date desc, instructions.sequence desc
        limit 1
    ) as last_try on true

)

select
    payees.fixmedins_code,
    case when payees.last_account_no is null then 'account_shared' else 'account_changed' end as flag
from payees
where
    case
        when payees.last_account_no is null
            then exists (
                select
                from instructions
                where
                    instructions.account_no = payees.account_no
                    and instructions.bank_code = payees.bank_code
                    and instructions.fixmedins_code <> payees.fixmedins_code
            )
        else
            (payees.account_name, payees.account_no, payees.bank_code)
            is distinct from (payees.last_account_name, payees.last_account_no, payees.last_bank_code)
    end
