-- The instructions of the settlement's funds and month that could carry it, oldest first: a payment settles the whole
-- month so far, so each one from the day it became payable on holds its share.
select
    instructions.instruction_id, instructions.fund_pay_type, instructions.settlement_month, instructions.instructed_on as pay_date,
    instructions.amount, instructions.status, instructions.paid_on, bank_file.message_id,
    instructions.replaces_instruction_id
from marts.fct_payment_instructions as instructions
left join ledger.bank_file
    on instructions.request_id = bank_file.request_id
where
    instructions.fixmedins_code = %(fixmedins_code)s
    and instructions.settlement_month = to_char(%(business_date)s::date, 'YYYY-MM')
    and instructions.instructed_on > %(business_date)s
    and instructions.fund_pay_type in (
        select funds.fund_pay_type
        from marts.fct_settlement_funds as funds
        where funds.setl_id = %(setl_id)s
            and funds.fixmedins_code = %(fixmedins_code)s
            and funds.business_date = %(business_date)s
    )
order by instructions.fund_pay_type, instructions.instructed_on
