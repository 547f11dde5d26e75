-- What a pay date came to: requests by state, and the money instructed.
select
    count(*) as request_count,
    coalesce(sum(request.total_amount), 0) as requested_amount,
    count(*) filter (where payment_decision.decision is null) as undecided_count,
    count(*) filter (where payment_decision.decision = 'rejected') as rejected_count,
    coalesce(sum(instructed.instruction_count), 0)::bigint as instruction_count,
    coalesce(sum(instructed.amount), 0) as instructed_amount,
    coalesce(sum(instructed.no_account_count), 0)::bigint as no_account_count,
    coalesce(sum(instructed.account_changed_count), 0)::bigint as account_changed_count,
    coalesce(sum(instructed.disputed_count), 0)::bigint as disputed_count,
    coalesce(sum(instructed.suspended_count), 0)::bigint as suspended_count
from ledger.payment_request as request
left join ledger.payment_decision
    on request.request_id = payment_decision.request_id
left join lateral (
    select
        count(*) filter (where payment_instruction.has_account) as instruction_count,
        sum(payment_instruction.amount) filter (where payment_instruction.has_account) as amount,
        count(*) filter (where payment_instruction.suspended_by is not null) as suspended_count,
        count(*) filter (where payment_instruction.is_account_changed) as account_changed_count,
        count(*) filter (where payment_instruction.is_disputed) as disputed_count,
        count(*) filter (
            where not payment_instruction.has_account
                and payment_instruction.suspended_by is null
                and not payment_instruction.is_account_changed
                and not payment_instruction.is_disputed
        ) as no_account_count
    from ledger.payment_instruction
    where payment_instruction.request_id = request.request_id
) as instructed on true
where
    request.pay_date = %(pay_date)s
    and (%(area_code)s::text is null or request.area_code = %(area_code)s)
