-- Approved requests without instructions, up to the pay date: also those of earlier dates whose run was interrupted.
select
    payment_request.request_id,
    payment_request.area_code,
    payment_request.fund_pay_type,
    payment_request.pay_date
from ledger.payment_request
inner join ledger.payment_decision
    on payment_request.request_id = payment_decision.request_id
where
    payment_decision.decision = 'approved'
    and payment_request.pay_date <= %(pay_date)s
    and (%(area_code)s::text is null or payment_request.area_code = %(area_code)s)
    and payment_request.area_code <> all(%(without)s::text [])
    and (%(request_id)s::uuid is null or payment_request.request_id = %(request_id)s)
    and not exists (
        select
        from ledger.payment_instruction
        where payment_instruction.request_id = payment_request.request_id
    )
order by payment_request.area_code, payment_request.pay_date, payment_request.fund_pay_type
