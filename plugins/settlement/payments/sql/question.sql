-- One request that nobody has decided on, as an approver is asked about it, with the figures in force when it was made.
select
    payment_request.request_id,
    payment_request.area_code,
    payment_request.fund_pay_type,
    payment_request.pay_date,
    payment_request.purpose,
    payment_request.line_count,
    payment_request.total_amount,
    payment_request.plan_amount,
    payment_request.plan_used_before_amount,
    payment_request.reserve_amount,
    payment_request.reserve_used_amount,
    payment_request.is_over_plan,
    payment_request.approval_threshold_amount,
    payment_request.requested_by
from ledger.payment_request
left join ledger.payment_decision
    on payment_request.request_id = payment_decision.request_id
where
    payment_request.request_id = %(request_id)s
    and payment_decision.request_id is null
    and payment_request.pay_date <= %(pay_date)s
    and (%(area_code)s::text is null or payment_request.area_code = %(area_code)s)
