-- Debit and credit lines in the books.
select
    fixmedins_code,
    business_event_id,
    line_no,
    account,
    side,
    amount
from {{ source('ledger', 'entry_line') }}
