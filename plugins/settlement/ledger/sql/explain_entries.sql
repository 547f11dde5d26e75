select
    entry.business_event_id, entry.event, entry.accounting_date, entry_line.side, entry_line.account,
    entry_line.amount, entry.posting_run_id
from ledger.entry
inner join ledger.entry_line
    on entry.fixmedins_code = entry_line.fixmedins_code
    and entry.business_event_id = entry_line.business_event_id
where entry.source_id in (
    select %(instruction_id)s::text
    union all
    select bank_entry.bank_entry_id::text
    from ledger.bank_entry
    where bank_entry.instruction_id = %(instruction_id)s
)
order by entry.posting_run_id, entry.business_event_id, entry_line.line_no
