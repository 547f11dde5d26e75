-- One request per fund: what is due now, what the month's plan and reserve still hold, and what of them it uses.
-- Suspended institutions are left out: their entitlement goes on counting and is settled with the month.
with proposed as (

    select * from intermediate.int_payment_proposals
    where area_code = %(area_code)s and pay_date = %(pay_date)s and not is_suspended

),

request as (

    select
        fund_pay_type,
        purpose,
        count(*) as line_count,
        sum(due_amount) as total_amount,
        max(plan_amount) as plan_amount,
        max(plan_used_before_amount) as plan_used_before_amount,
        max(reserve_amount) as reserve_amount,
        max(reserve_used_before_amount) as reserve_used_before_amount,
        max(approval_threshold_amount) as approval_threshold_amount
    from proposed
    group by fund_pay_type, purpose

),

measured as (

    select
        request.*,
        total_amount - (plan_amount - plan_used_before_amount) as above_plan_amount,
        reserve_amount - reserve_used_before_amount as reserve_left_amount
    from request

)

insert into ledger.payment_request (
    request_id, area_code, fund_pay_type, pay_date, purpose, line_count, total_amount, plan_amount,
    plan_used_before_amount, reserve_amount, reserve_used_before_amount, reserve_used_amount, is_over_plan,
    approval_threshold_amount, requested_by
)
select
    request_ids.request_id,
    %(area_code)s,
    measured.fund_pay_type,
    %(pay_date)s,
    measured.purpose,
    measured.line_count,
    measured.total_amount,
    measured.plan_amount,
    measured.plan_used_before_amount,
    measured.reserve_amount,
    measured.reserve_used_before_amount,
    least(greatest(measured.above_plan_amount, 0), measured.reserve_left_amount),
    measured.above_plan_amount > measured.reserve_left_amount,
    measured.approval_threshold_amount,
    %(requested_by)s
from measured
inner join unnest(%(funds)s::text [], %(purposes)s::text [], %(request_ids)s::uuid [])
    as request_ids (fund_pay_type, purpose, request_id)
    on measured.fund_pay_type = request_ids.fund_pay_type
    and measured.purpose = request_ids.purpose
