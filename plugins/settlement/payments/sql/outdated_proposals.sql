-- Proposals that no longer agree with what is due now: recomputed in the transaction that requests the money, so that
-- a table built for another date, or before another payment, can never pay anything.
select count(*) as outdated_count
from (
    select area_code, fixmedins_code, fund_pay_type, settlement_month, due_amount
    from intermediate.int_payment_proposals
    where area_code = %(area_code)s and pay_date = %(pay_date)s
) as proposed
full outer join (
    select area_code, fixmedins_code, fund_pay_type, settlement_month, due_amount
    from intermediate.int_payments__due
    where area_code = %(area_code)s and due_amount > 0
) as due using (area_code, fixmedins_code, fund_pay_type, settlement_month)
where proposed.due_amount is distinct from due.due_amount
