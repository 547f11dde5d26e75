-- The lines of a request with the account they were requested for, and whether it is the institution's no longer on the
-- day of paying. Without one the account columns are empty.
-- What was suspended since the request, for one fund or for all, itself or with its whole area, names its rules.
-- In dispute is what may have left already: a failed payment of the month turned out to be still out, so that with this
-- line more would be on its way than is due; or the bank has said more, since the request, of what the line replaces.
with still_out as (

    select instruction.fixmedins_code, instruction.settlement_month
    from ledger.payment_request
    inner join ledger.payment_instruction as instruction
        on payment_request.area_code = instruction.area_code
        and payment_request.fund_pay_type = instruction.fund_pay_type
    inner join intermediate.int_instructions__still_out as out_after_all
        on instruction.instruction_id = out_after_all.instruction_id
    left join intermediate.int_payments__due as due
        on instruction.area_code = due.area_code
        and instruction.fixmedins_code = due.fixmedins_code
        and instruction.fund_pay_type = due.fund_pay_type
        and instruction.settlement_month = due.settlement_month
    -- A month that was closed in the meantime is not among what is due.
    where
        payment_request.request_id = %(request_id)s
        and coalesce(due.due_amount < 0, true)

)

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
    is distinct from (bank_account.account_name, bank_account.account_no, bank_account.bank_code) as is_account_changed,
    (line.fixmedins_code, line.settlement_month)
    in (select still_out.fixmedins_code, still_out.settlement_month from still_out)
    or exists (
        select
        from ledger.said_since_request as said
        where
            said.request_id = line.request_id
            and said.fixmedins_code = line.fixmedins_code
            and said.settlement_month = line.settlement_month
    ) as is_disputed
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
