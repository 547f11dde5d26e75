-- Sub-ledger rows add up to their entry: instructions to `instructed`, bank events to `paid`, `rejected`, `returned`.
-- An instruction without an account moves no money and has no entry.
with payment as (

    select
        'instructed' as event,
        payment_instruction.instruction_id::text as source_id,
        payment_instruction.area_code,
        payment_instruction.fixmedins_code,
        payment_instruction.fund_pay_type,
        payment_instruction.amount
    from ledger.payment_instruction
    where payment_instruction.has_account and {instructions}
    union all
    select
        payment_event.event,
        payment_event.bank_entry_id::text,
        payment_instruction.area_code,
        payment_instruction.fixmedins_code,
        payment_instruction.fund_pay_type,
        payment_instruction.amount
    from ledger.payment_event
    inner join ledger.payment_instruction
        on payment_event.fixmedins_code = payment_instruction.fixmedins_code
        and payment_event.instruction_id = payment_instruction.instruction_id
    where {payment_events}

),

booked as (

    select
        entry.event,
        entry.source_id,
        entry.area_code,
        entry.fixmedins_code,
        entry.fund_pay_type,
        sum(entry_line.amount) filter (
            where entry_line.account = case entry.event when 'paid' then 'payment_in_transit' else 'payable_institution' end
        ) as amount
    from ledger.entry
    inner join ledger.entry_line
        on entry.fixmedins_code = entry_line.fixmedins_code
        and entry.business_event_id = entry_line.business_event_id
    where entry.event in ('instructed', 'paid', 'rejected', 'returned') and {entries}
    group by entry.fixmedins_code, entry.business_event_id

)

select
    concat_ws(' ', event, source_id) as subject,
    format('payments %%s, books %%s', coalesce(payment.amount, 0), coalesce(booked.amount, 0)) as finding
from payment
full outer join booked using (event, source_id, area_code, fixmedins_code, fund_pay_type)
where payment.amount is distinct from booked.amount
order by subject
limit 20
