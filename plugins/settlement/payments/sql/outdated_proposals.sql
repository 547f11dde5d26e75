-- Proposals that no longer agree with what is due now, or with the account it goes to: recomputed in the transaction
-- that requests the money, so that a table built for another date, or before another payment, can never pay anything,
-- and no account that came meanwhile passes for the one that was looked at.
select count(*) as outdated_count
from (
    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month,
        due_amount,
        (account_name, account_no, bank_code) as account
    from intermediate.int_payment_proposals
    where area_code = %(area_code)s and pay_date = %(pay_date)s
) as proposed
full outer join (
    select area_code, fixmedins_code, fund_pay_type, settlement_month, due_amount
    from intermediate.int_payments__due
    where area_code = %(area_code)s and due_amount > 0
) as due using (area_code, fixmedins_code, fund_pay_type, settlement_month)
left join reference.bank_account
    on proposed.fixmedins_code = bank_account.fixmedins_code
    and %(pay_date)s between bank_account.valid_from and coalesce(bank_account.valid_to, date 'infinity')
where
    proposed.due_amount is distinct from due.due_amount
    or proposed.account is distinct from (bank_account.account_name, bank_account.account_no, bank_account.bank_code)
