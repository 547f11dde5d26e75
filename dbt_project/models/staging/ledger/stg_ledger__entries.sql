-- Entries in the books.
select
    fixmedins_code,
    business_event_id,
    md5(business_event_id)::uuid as entry_id,
    event,
    area_code,
    fund_pay_type,
    accounting_date,
    settlement_month,
    source_id,
    reverses_event_id,
    posting_run_id
from {{ source('ledger', 'entry') }}
