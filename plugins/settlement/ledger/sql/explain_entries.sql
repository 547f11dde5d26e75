select
    entry.business_event_id, entry.event, entry.accounting_date, entry_line.side, entry_line.account,
    entry_line.amount, entry.posting_run_id
from ledger.entry
inner join ledger.entry_line
    on entry.fixmedins_code = entry_line.fixmedins_code
    and entry.business_event_id = entry_line.business_event_id
where
    entry.fixmedins_code = %(fixmedins_code)s
    and entry.business_event_id in (
        select concat_ws(':', %(fixmedins_code)s, event, %(instruction_id)s::text)
        from unnest(array['instructed', 'paid', 'rejected', 'returned']) as event
    )
order by entry.posting_run_id, entry.business_event_id, entry_line.line_no
