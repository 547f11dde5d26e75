-- Requests of a pay date, and what is undecided from earlier ones, with what became of them; `status` is undecided,
-- approved, rejected or instructed.
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
    payment_request.requested_by,
    case
        when exists (
            select
            from ledger.payment_instruction
            where payment_instruction.request_id = payment_request.request_id
        ) then 'instructed'
        else coalesce(payment_decision.decision, 'undecided')
    end as status
from ledger.payment_request
left join ledger.payment_decision
    on payment_request.request_id = payment_decision.request_id
where
    (
        payment_request.pay_date = %(pay_date)s
        or (payment_request.pay_date < %(pay_date)s and payment_decision.decision is null)
    )
    and (%(area_code)s::text is null or payment_request.area_code = %(area_code)s)
order by
    payment_request.area_code, payment_request.fund_pay_type, payment_request.pay_date, payment_request.purpose
