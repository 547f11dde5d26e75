-- payable_institution of an institution and fund = accrued − deducted ± booked ± cleared − instructed (neither
-- rejected nor returned) − withheld − offset. The left side reads the payable's own lines; the right side reads the
-- other accounts, and for payments the instructions and what became of them, so that each proves the other.
with line as (

    select
        entry.area_code,
        entry.fixmedins_code,
        entry.fund_pay_type,
        entry.event,
        entry_line.account,
        case entry_line.side when 'credit' then entry_line.amount else -entry_line.amount end as credit_amount
    from ledger.entry
    inner join ledger.entry_line
        on entry.fixmedins_code = entry_line.fixmedins_code
        and entry.business_event_id = entry_line.business_event_id
    where {entries}

),

instructed as (

    select
        payment_instruction.area_code,
        payment_instruction.fixmedins_code,
        payment_instruction.fund_pay_type,
        payment_instruction.amount
    from ledger.payment_instruction
    where payment_instruction.has_account and {instructions}
    union all
    select
        payment_instruction.area_code,
        payment_instruction.fixmedins_code,
        payment_instruction.fund_pay_type,
        -payment_instruction.amount
    from ledger.payment_event
    inner join ledger.payment_instruction
        on payment_event.fixmedins_code = payment_instruction.fixmedins_code
        and payment_event.instruction_id = payment_instruction.instruction_id
    where payment_event.event in ('rejected', 'returned') and {payment_events}

),

movement as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        case when account = 'payable_institution' then credit_amount else 0 end as payable_amount,
        case
            when account in (
                'benefit_expense', 'deposit_withheld', 'receivable_institution', 'receivable_province', 'payable_province'
            )
                then -credit_amount
            when account = 'payable_supplier' and event = 'supplier_offset' then -credit_amount
            when account = 'prepaid_institution' and event = 'prepaid_recovered' then -credit_amount
            else 0
        end as explained_amount
    from line
    union all
    select area_code, fixmedins_code, fund_pay_type, 0 as payable_amount, -amount as explained_amount
    from instructed

)

select
    concat_ws(' ', area_code, fixmedins_code, fund_pay_type) as subject,
    format('payable is %%s, its events explain %%s', sum(payable_amount), sum(explained_amount)) as finding
from movement
group by area_code, fixmedins_code, fund_pay_type
having sum(payable_amount) <> sum(explained_amount)
order by subject
limit 20
