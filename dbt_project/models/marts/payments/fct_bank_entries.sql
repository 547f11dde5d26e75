-- What the bank said, transaction by transaction, how it was matched, and why a person was called where one was.
select
    bank_entry_id,
    area_code,
    batch_id,
    message_id,
    kind,
    side,
    amount,
    currency,
    booked_on,
    status_code,
    reason_code,
    outcome,
    finding,
    finding is not null as needs_person,
    fixmedins_code,
    instruction_id,
    explains_bank_entry_id,
    received_at
from {{ ref('stg_ledger__bank_entries') }}
