-- Failed instructions of which it is not certain that the fund has the money: what replaces one of them needs a person.
-- Certain is a return, whose credit is booked on the fund's account, and a rejection for a reason that says so, which no
-- other message of the bank contradicts.
with payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event = 'rejected'

),

bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}

),

final_reasons as (

    select * from {{ ref('final_rejection_reasons') }}

),

instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

request_lines as (

    select * from {{ ref('stg_ledger__payment_request_lines') }}

),

rejections as (

    select
        payment_events.fixmedins_code,
        payment_events.instruction_id,
        bank_entries.bank_entry_id,
        bank_entries.received_at
    from payment_events
    inner join final_reasons
        on payment_events.reason_code = final_reasons.reason_code
        and payment_events.event_date between final_reasons.valid_from
        and coalesce(final_reasons.valid_to, date 'infinity')
    inner join bank_entries
        on payment_events.bank_entry_id = bank_entries.bank_entry_id

),

-- Money that was booked for it, a status that says it was settled or that the bank has it already, whenever it came, and
-- whatever the bank says after the rejection but the same again.
contradicted as (

    select rejections.instruction_id
    from rejections
    inner join bank_entries
        on rejections.fixmedins_code = bank_entries.fixmedins_code
        and rejections.instruction_id = bank_entries.instruction_id
        and rejections.bank_entry_id <> bank_entries.bank_entry_id
    where
        bank_entries.kind = 'booked'
        or bank_entries.status_code in ('ACSC', 'ACCC', 'CPUC')
        or bank_entries.reason_code in ('AM05', 'DU01', 'DU02', 'DU03', 'DU04', 'DU05', 'DUPL')
        or (
            bank_entries.received_at >= rejections.received_at
            and (
                bank_entries.status_code in ('RJCT', 'CANC')
                and bank_entries.reason_code in (select final_reasons.reason_code from final_reasons)
            ) is not true
        )

),

failed as (

    select distinct payment_events.instruction_id
    from payment_events
    left join rejections
        on payment_events.instruction_id = rejections.instruction_id
    where
        rejections.instruction_id is null
        or rejections.instruction_id in (select contradicted.instruction_id from contradicted)

),

-- Meant to replace such a one, and not sent for want of an account: what replaces it in its turn replaces the first.
unsent as (

    select
        instructions.instruction_id,
        instructions.replaces_instruction_id,
        request_lines.flag
    from instructions
    inner join request_lines
        on instructions.request_id = request_lines.request_id
        and instructions.fixmedins_code = request_lines.fixmedins_code
        and instructions.settlement_month = request_lines.settlement_month
    where
        not instructions.has_account
        and instructions.replaces_instruction_id is not null

)

select failed.instruction_id from failed
union all
select unsent.instruction_id
from unsent
where
    unsent.flag like '%replaces_disputed%'
    or unsent.replaces_instruction_id in (select failed.instruction_id from failed)
    or unsent.replaces_instruction_id in (select earlier.instruction_id from unsent as earlier)
