-- What a rule may approve: within the plan and its reserve, not above the threshold, and no line flagged.
insert into ledger.payment_decision (request_id, decision, decided_by, is_by_rule, reason)
select
    payment_request.request_id,
    'approved',
    'rule',
    true,
    format(
        'total %%s within the threshold %%s and the plan, no line flagged (限额内、计划内、无标记)',
        payment_request.total_amount, payment_request.approval_threshold_amount
    )
from ledger.payment_request
where
    payment_request.area_code = %(area_code)s
    and payment_request.pay_date = %(pay_date)s
    and not payment_request.is_over_plan
    and payment_request.total_amount <= payment_request.approval_threshold_amount
    and not exists (
        select
        from ledger.payment_request_line as line
        where line.request_id = payment_request.request_id and line.flag is not null
    )
    and not exists (
        select
        from ledger.payment_decision as decided
        where decided.request_id = payment_request.request_id
    )
on conflict (request_id) do nothing
