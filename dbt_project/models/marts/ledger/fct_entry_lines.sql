-- Every line of every entry in the books.
select
    entries.entry_id,
    entries.business_event_id,
    entry_lines.line_no,
    entries.event,
    entries.area_code,
    entries.accounting_date,
    entries.settlement_month,
    entry_lines.account,
    entry_lines.side,
    entry_lines.amount,
    entries.fixmedins_code,
    entries.fund_pay_type,
    entries.source_id,
    entries.reverses_event_id,
    entries.posting_run_id
from {{ ref('stg_ledger__entries') }} as entries
inner join {{ ref('stg_ledger__entry_lines') }} as entry_lines
    on entries.fixmedins_code = entry_lines.fixmedins_code
    and entries.business_event_id = entry_lines.business_event_id
