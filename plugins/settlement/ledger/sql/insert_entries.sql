-- Insert the events that are not in the books yet, each with its lines in this one statement.
-- The primary key decides what is new, so the cost follows what is offered and not what the books already hold.
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
    on conflict (fixmedins_code, business_event_id) do nothing
    returning fixmedins_code, business_event_id

),

new_line as (

    insert into ledger.entry_line (fixmedins_code, business_event_id, line_no, account, side, amount)
    select
        posting_proposal.fixmedins_code,
        posting_proposal.business_event_id,
        posting_proposal.line_no,
        posting_proposal.account,
        posting_proposal.side,
        posting_proposal.amount
    from posting_proposal
    inner join new_entry
        on posting_proposal.fixmedins_code = new_entry.fixmedins_code
        and posting_proposal.business_event_id = new_entry.business_event_id
    returning side, amount

)

select
    (select count(*) from new_entry) as entry_count,
    count(*) as line_count,
    coalesce(sum(amount) filter (where side = 'debit'), 0)::numeric(18, 2) as total_amount
from new_line
