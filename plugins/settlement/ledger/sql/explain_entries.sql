-- The entries of an instruction, and those of its movements that stood in suspense under the area.
with event as (

    select
        %(fixmedins_code)s::text as fixmedins_code,
        concat_ws(':', %(fixmedins_code)s::text, event, %(instruction_id)s::text) as business_event_id
    from unnest(array['instructed', 'paid', 'rejected', 'returned']) as event
    union all
    select
        concat('A', bank_entry.area_code, '00000'),
        concat_ws(':', concat('A', bank_entry.area_code, '00000'), event, bank_entry.bank_entry_id::text)
    from ledger.bank_entry
    cross join unnest(array['suspense', 'suspense_cleared']) as event
    where bank_entry.instruction_id = %(instruction_id)s and bank_entry.outcome = 'not_expected'

)

select
    entry.business_event_id, entry.event, entry.accounting_date, entry_line.side, entry_line.account,
    entry_line.amount, entry.posting_run_id
from event
inner join ledger.entry
    on event.fixmedins_code = entry.fixmedins_code
    and event.business_event_id = entry.business_event_id
inner join ledger.entry_line
    on entry.fixmedins_code = entry_line.fixmedins_code
    and entry.business_event_id = entry_line.business_event_id
order by entry.posting_run_id, entry.business_event_id, entry_line.line_no
