-- Booked movements of these instructions that stand in suspense: not expected when they came, and not explained since.
select
    bank_entry.instruction_id,
    bank_entry.bank_entry_id,
    bank_entry.side,
    bank_entry.booked_on,
    bank_entry.reason_code
from ledger.bank_entry
where
    bank_entry.instruction_id = any(%(instruction_ids)s::uuid[])
    and bank_entry.kind = 'booked'
    and bank_entry.outcome = 'not_expected'
    and not exists (
        select
        from ledger.payment_event
        where payment_event.bank_entry_id = bank_entry.bank_entry_id
    )
order by bank_entry.booked_on, bank_entry.bank_entry_id
