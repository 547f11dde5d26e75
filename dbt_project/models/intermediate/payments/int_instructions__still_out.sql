-- Rejected or returned instructions for which the bank booked more debits than credits: their money left all the same,
-- and is out until the bank gives it back.
with payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event in ('rejected', 'returned')

),

bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}
    where kind = 'booked'

)

select bank_entries.instruction_id
from payment_events
inner join bank_entries
    on payment_events.fixmedins_code = bank_entries.fixmedins_code
    and payment_events.instruction_id = bank_entries.instruction_id
-- Beside a payment that was booked with its own amount, another amount is a notice that the bank corrected.
where bank_entries.outcome <> 'amount_differs' or payment_events.event = 'rejected'
group by bank_entries.instruction_id
having
    count(*) filter (where bank_entries.side = 'debit') > count(*) filter (where bank_entries.side = 'credit')
