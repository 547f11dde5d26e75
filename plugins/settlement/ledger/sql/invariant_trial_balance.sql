-- The trial balance is zero per area, fund and accounting date.
select
    concat_ws(' ', entry.area_code, entry.fund_pay_type, entry.accounting_date) as subject,
    format(
        'debit minus credit is %%s',
        sum(case entry_line.side when 'debit' then entry_line.amount else -entry_line.amount end)
    ) as finding
from ledger.entry
inner join ledger.entry_line
    on entry.fixmedins_code = entry_line.fixmedins_code
    and entry.business_event_id = entry_line.business_event_id
where {entries}
group by entry.area_code, entry.fund_pay_type, entry.accounting_date
having sum(case entry_line.side when 'debit' then entry_line.amount else -entry_line.amount end) <> 0
order by subject
limit 20
