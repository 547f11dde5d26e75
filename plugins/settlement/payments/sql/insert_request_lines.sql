insert into ledger.payment_request_line (
    request_id, fixmedins_code, settlement_month, amount, replaces_instruction_id, flag
)
select
    payment_request.request_id,
    proposed.fixmedins_code,
    proposed.settlement_month,
    proposed.due_amount,
    proposed.replaces_instruction_id,
    proposed.flag
from intermediate.int_payment_proposals as proposed
inner join ledger.payment_request
    on proposed.area_code = payment_request.area_code
    and proposed.fund_pay_type = payment_request.fund_pay_type
    and proposed.pay_date = payment_request.pay_date
    and proposed.purpose = payment_request.purpose
where proposed.area_code = %(area_code)s and proposed.pay_date = %(pay_date)s and not proposed.is_suspended
