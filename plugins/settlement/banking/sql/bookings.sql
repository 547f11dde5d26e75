-- What is recorded of the bank's entries with these references: as a whole, or transaction by transaction. Of a movement
-- that no payment is known for, `unexplained_amount` is what still stands in suspense, without its transactions since.
select
    bank_entry.bank_entry_id,
    bank_entry.account_no,
    bank_entry.booking_reference,
    bank_entry.currency,
    bank_entry.booked_on,
    bank_entry.booking_amount,
    bank_entry.is_detail,
    bank_entry.outcome = 'unknown' and bank_entry.finding is distinct from 'charge' as is_nameless,
    movement.debit_amount,
    movement.debit_amount
    - (
        select coalesce(sum(case part.side when 'debit' then part.amount else -part.amount end), 0)
        from ledger.bank_entry as part
        where part.explains_bank_entry_id = bank_entry.bank_entry_id
    ) as unexplained_amount
from ledger.bank_entry
cross join lateral (
    select case bank_entry.side when 'debit' then bank_entry.amount else -bank_entry.amount end as debit_amount
) as movement
where
    bank_entry.area_code = %(area_code)s
    and bank_entry.booking_reference = any(%(references)s)
    and bank_entry.kind = 'booked'
    and bank_entry.outcome <> 'held'
order by bank_entry.received_at, bank_entry.bank_entry_id
