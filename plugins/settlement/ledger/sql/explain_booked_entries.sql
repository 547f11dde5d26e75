-- The entries that brought the case's institution, fund and month from what was accrued to what is booked.
select
    entry.business_event_id,
    entry.accounting_date,
    case entry_line.side when 'credit' then entry_line.amount else -entry_line.amount end as adjustment_amount,
    entry.posting_run_id
from marts.fct_case_bookings as bookings
inner join ledger.entry as entry
    on bookings.fixmedins_code = entry.fixmedins_code
    and bookings.fund_pay_type = entry.fund_pay_type
    and bookings.settlement_month = entry.source_id
    and entry.event = 'booked'
inner join ledger.entry_line as entry_line
    on entry.fixmedins_code = entry_line.fixmedins_code
    and entry.business_event_id = entry_line.business_event_id
    and entry_line.account = 'payable_institution'
where bookings.setl_id = %(setl_id)s and bookings.fixmedins_code = %(fixmedins_code)s
order by entry.posting_run_id
