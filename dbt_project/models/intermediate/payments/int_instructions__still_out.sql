-- Rejected or returned instructions for which the bank booked more debits than credits: their money left all the same,
-- and is out until the bank gives it back. So it may be where the bank said after its rejection that it made the
-- payment: it is taken for out until a booking says more. A debit that was held may be money that left; a credit that
-- was held is none that came back, and another account moves nothing.
with payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event in ('rejected', 'returned')

),

bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}
    where
        kind = 'booked'
        and finding is distinct from 'foreign_account'

),

said_to_be_made as (

    select * from {{ ref('stg_ledger__bank_entries') }}
    where
        kind = 'status'
        and status_code in ('ACSC', 'ACCC', 'CPUC')
        and outcome = 'not_expected'

)

select bank_entries.instruction_id
from payment_events
inner join bank_entries
    on payment_events.fixmedins_code = bank_entries.fixmedins_code
    and payment_events.instruction_id = bank_entries.instruction_id
-- Beside a payment that was booked with its own amount, what was not booked is a notice that the bank corrected.
where bank_entries.outcome not in ('amount_differs', 'held') or payment_events.event = 'rejected'
group by bank_entries.instruction_id
having
    count(*) filter (where bank_entries.side = 'debit')
    > count(*) filter (where bank_entries.side = 'credit' and bank_entries.outcome <> 'held')
union
select said_to_be_made.instruction_id
from said_to_be_made
where not exists (
    select
    from bank_entries
    where
        bank_entries.instruction_id = said_to_be_made.instruction_id
        and bank_entries.outcome <> 'held'
)
