-- The first offered event that an earlier run posted with other lines or other attributes.
with offered as (

    select
        fixmedins_code, business_event_id, event, area_code, fund_pay_type, accounting_date, settlement_month,
        source_id, reverses_event_id, side, account, amount
    from posting_proposal

),

kept as (

    select
        entry.fixmedins_code, entry.business_event_id, entry.event, entry.area_code, entry.fund_pay_type,
        entry.accounting_date, entry.settlement_month, entry.source_id, entry.reverses_event_id,
        entry_line.side, entry_line.account, entry_line.amount
    from ledger.entry
    inner join ledger.entry_line
        on entry.fixmedins_code = entry_line.fixmedins_code
        and entry.business_event_id = entry_line.business_event_id
    where (entry.fixmedins_code, entry.business_event_id) in (
        select posting_proposal.fixmedins_code, posting_proposal.business_event_id from posting_proposal
    )

)

(select business_event_id, 'offered' as found_in, side, account, amount from (table offered except table kept) as extra)
union all
(select business_event_id, 'books' as found_in, side, account, amount from (table kept except table offered) as missing)
order by business_event_id, found_in desc, side desc
limit 1
