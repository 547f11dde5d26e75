-- What the bank said, transaction by transaction.
select
    bank_entry_id,
    area_code,
    batch_id,
    kind,
    account_no,
    side,
    amount,
    booked_on,
    status_code,
    reason_code,
    outcome,
    fixmedins_code,
    instruction_id,
    received_at
from {{ source('ledger', 'bank_entry') }}
