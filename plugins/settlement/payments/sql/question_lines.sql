-- The lines of a request with payee and account, and what is new about them: the account that the institution was paid
-- to last or, where every payment failed, that was tried last; where a payment is made again, the bank's reason, and
-- what the bank said since the request of the payments that had failed by then. Flagged lines come first, then the
-- largest.
select
    line.fixmedins_code,
    institution.name as institution_name,
    line.settlement_month,
    line.amount,
    line.flag,
    line.account_name,
    line.account_no,
    line.bank_code,
    line.replaces_instruction_id,
    coalesce(last_payment.account_name, last_try.account_name) as last_account_name,
    coalesce(last_payment.account_no, last_try.account_no) as last_account_no,
    coalesce(last_payment.bank_code, last_try.bank_code) as last_bank_code,
    coalesce(last_payment.pay_date, last_try.pay_date) as last_pay_date,
    failure.event as failed_by,
    failure.reason_code as failure_reason_code,
    said_since.codes as said_since
from ledger.payment_request_line as line
inner join ledger.payment_request
    on line.request_id = payment_request.request_id
left join reference.institution
    on line.fixmedins_code = institution.fixmedins_code
    and payment_request.pay_date between institution.valid_from and coalesce(institution.valid_to, date 'infinity')
left join lateral (
    select
        instruction.account_name,
        instruction.account_no,
        instruction.bank_code,
        instruction.pay_date
    from ledger.payment_instruction as instruction
    where
        instruction.fixmedins_code = line.fixmedins_code
        and instruction.has_account
        and not exists (
            select
            from ledger.payment_event
            where
                payment_event.fixmedins_code = instruction.fixmedins_code
                and payment_event.instruction_id = instruction.instruction_id
                and payment_event.event in ('rejected', 'returned')
        )
    order by instruction.pay_date desc, instruction.sequence desc
    limit 1
) as last_payment on true
left join lateral (
    select
        instruction.account_name,
        instruction.account_no,
        instruction.bank_code,
        instruction.pay_date
    from ledger.payment_instruction as instruction
    where
        instruction.fixmedins_code = line.fixmedins_code
        and instruction.has_account
        and last_payment.account_no is null
    order by instruction.pay_date desc, instruction.sequence desc
    limit 1
) as last_try on true
left join lateral (
    select
        payment_event.event,
        payment_event.reason_code
    from ledger.payment_event
    where
        payment_event.fixmedins_code = line.fixmedins_code
        and payment_event.instruction_id = line.replaces_instruction_id
        and payment_event.event in ('rejected', 'returned')
    order by payment_event.event
    limit 1
) as failure on true
left join lateral (
    select string_agg(said.said, ', ' order by said.received_at) as codes
    from ledger.said_since_request as said
    where
        said.request_id = line.request_id
        and said.fixmedins_code = line.fixmedins_code
        and said.settlement_month = line.settlement_month
) as said_since on true
where line.request_id = %(request_id)s
order by line.flag is null, line.amount desc, line.fixmedins_code, line.settlement_month
