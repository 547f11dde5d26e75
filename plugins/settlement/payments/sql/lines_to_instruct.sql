-- The lines of a request with the account they were requested for, and whether it is the institution's no longer on the
-- day of paying. Without one the account columns are empty.
-- What was suspended since the request, for one fund or for all, itself or with its whole area, names its rules.
select
    line.fixmedins_code,
    line.settlement_month,
    line.amount,
    line.replaces_instruction_id,
    1 + count(earlier.instruction_id)::int as sequence,
    (
        select string_agg(distinct suspension.rule_code, ',' order by suspension.rule_code)
        from intermediate.int_suspensions__standing as suspension
        where
            suspension.area_code = payment_request.area_code
            and (suspension.is_of_area or suspension.fixmedins_code = line.fixmedins_code)
            and coalesce(suspension.fund_pay_type, payment_request.fund_pay_type) = payment_request.fund_pay_type
            and suspension.opened_on <= %(paid_on)s
            and coalesce(suspension.resumes_on, date 'infinity') > %(paid_on)s
    ) as suspended_by,
    line.account_name,
    line.account_no,
    line.bank_code,
    line.account_no is not null
    and (line.account_name, line.account_no, line.bank_code)
    is distinct from (bank_account.account_name, bank_account.account_no, bank_account.bank_code) as is_account_changed
from ledger.payment_request_line as line
inner join ledger.payment_request
    on line.request_id = payment_request.request_id
left join reference.bank_account
    on line.fixmedins_code = bank_account.fixmedins_code
    and %(paid_on)s between bank_account.valid_from and coalesce(bank_account.valid_to, date 'infinity')
left join ledger.payment_instruction as earlier
    on line.fixmedins_code = earlier.fixmedins_code
    and payment_request.fund_pay_type = earlier.fund_pay_type
    and line.settlement_month = earlier.settlement_month
    and payment_request.pay_date = earlier.pay_date
    and payment_request.purpose = earlier.purpose
    and payment_request.area_code = earlier.area_code
where line.request_id = %(request_id)s
group by
    payment_request.request_id,
    line.request_id,
    line.fixmedins_code,
    line.settlement_month,
    bank_account.account_name,
    bank_account.account_no,
    bank_account.bank_code
order by line.fixmedins_code, line.settlement_month
