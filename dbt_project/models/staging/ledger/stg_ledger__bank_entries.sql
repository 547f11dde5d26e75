-- What the bank said, transaction by transaction.
select
    bank_entry_id,
    area_code,
    batch_id,
    message_id,
    kind,
    account_no,
    side,
    amount,
    currency,
    booked_on,
    status_code,
    reason_code,
    outcome,
    finding,
    explains_bank_entry_id,
    fixmedins_code,
    instruction_id,
    received_at
from {{ source('ledger', 'bank_entry') }}
