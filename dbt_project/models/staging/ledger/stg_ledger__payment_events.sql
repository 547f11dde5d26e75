-- What happened to payment instructions.
select
    fixmedins_code,
    instruction_id,
    event,
    bank_entry_id,
    event_date,
    reason_code
from {{ source('ledger', 'payment_event') }}
