-- Insert the entries of a run with all their lines, in this one statement: the ledger accepts them only together.
with new_entry as (

    insert into ledger.entry (
        fixmedins_code, business_event_id, event, area_code, fund_pay_type, accounting_date, settlement_month,
        source_id, reverses_event_id, posting_run_id
    )
    select
        fixmedins_code, business_event_id, event, area_code, fund_pay_type, accounting_date, settlement_month,
        source_id, reverses_event_id, %(posting_run_id)s
    from posting_proposal
    where line_no = 1

)

insert into ledger.entry_line (fixmedins_code, business_event_id, line_no, account, side, amount)
select fixmedins_code, business_event_id, line_no, account, side, amount
from posting_proposal
