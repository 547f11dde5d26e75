-- Every entry balances: its debits equal its credits, and it has both.
select
    entry.business_event_id as subject,
    format(
        'debit %%s, credit %%s',
        coalesce(sum(entry_line.amount) filter (where entry_line.side = 'debit'), 0),
        coalesce(sum(entry_line.amount) filter (where entry_line.side = 'credit'), 0)
    ) as finding
from ledger.entry
left join ledger.entry_line
    on entry.fixmedins_code = entry_line.fixmedins_code
    and entry.business_event_id = entry_line.business_event_id
where {entries}
group by entry.fixmedins_code, entry.business_event_id
having coalesce(sum(entry_line.amount) filter (where entry_line.side = 'debit'), 0)
    <> coalesce(sum(entry_line.amount) filter (where entry_line.side = 'credit'), 0)
    or count(entry_line.side) < 2
order by subject
limit 20
