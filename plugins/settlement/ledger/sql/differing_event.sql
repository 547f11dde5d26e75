-- The first offered event that an earlier run posted with other lines or other attributes.
with booked as (

    select
        entry.fixmedins_code, entry.business_event_id, entry.event, entry.area_code, entry.fund_pay_type,
        entry.accounting_date, entry.settlement_month, entry.source_id, entry.reverses_event_id
    from posting_proposal
    inner join ledger.entry
        on posting_proposal.fixmedins_code = entry.fixmedins_code
        and posting_proposal.business_event_id = entry.business_event_id
    where posting_proposal.line_no = 1

),

kept as (

    select booked.*, entry_line.side, entry_line.account, entry_line.amount
    from booked
    inner join ledger.entry_line
        on booked.fixmedins_code = entry_line.fixmedins_code
        and booked.business_event_id = entry_line.business_event_id

),

offered as (

    select
        posting_proposal.fixmedins_code, posting_proposal.business_event_id, posting_proposal.event,
        posting_proposal.area_code, posting_proposal.fund_pay_type, posting_proposal.accounting_date,
        posting_proposal.settlement_month, posting_proposal.source_id, posting_proposal.reverses_event_id,
        posting_proposal.side, posting_proposal.account, posting_proposal.amount
    from posting_proposal
    inner join booked
        on posting_proposal.fixmedins_code = booked.fixmedins_code
        and posting_proposal.business_event_id = booked.business_event_id

)

(select business_event_id, 'offered' as found_in, side, account, amount from (table offered except table kept) as extra)
union all
(select business_event_id, 'books' as found_in, side, account, amount from (table kept except table offered) as missing)
order by business_event_id, found_in desc, side desc
limit 1
