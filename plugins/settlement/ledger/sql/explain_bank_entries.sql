select kind, side, amount, booked_on, status_code, reason_code, outcome, batch_id, message_id
from ledger.bank_entry
where instruction_id = %(instruction_id)s
order by received_at, bank_entry_id
