-- The lines of the requests, each with the account that is valid on the pay date: that one is approved and paid to.
insert into ledger.payment_request_line (
    request_id, fixmedins_code, settlement_month, amount, replaces_instruction_id, flag, account_name, account_no,
    bank_code
)
select
    payment_request.request_id,
    proposed.fixmedins_code,
    proposed.settlement_month,
    proposed.due_amount,
    proposed.replaces_instruction_id,
    proposed.flag,
    bank_account.account_name,
    bank_account.account_no,
    bank_account.bank_code
from intermediate.int_payment_proposals as proposed
inner join ledger.payment_request
    on proposed.area_code = payment_request.area_code
    and proposed.fund_pay_type = payment_request.fund_pay_type
    and proposed.pay_date = payment_request.pay_date
    and proposed.purpose = payment_request.purpose
left join reference.bank_account
    on proposed.fixmedins_code = bank_account.fixmedins_code
    and proposed.pay_date between bank_account.valid_from and coalesce(bank_account.valid_to, date 'infinity')
where proposed.area_code = %(area_code)s and proposed.pay_date = %(pay_date)s and not proposed.is_suspended
