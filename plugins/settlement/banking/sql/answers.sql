-- The bank's answers of a batch, each with the instruction it names and what became of that instruction so far.
-- A report that rejects a whole message names no payment: it stands for every payment of that bank file.
with answer as (

    select
        answered.message_id,
        answered.message_format,
        answered.account_no,
        answered.entry_reference,
        answered.servicer_reference,
        answered.status,
        answered.reason_code,
        answered.side,
        answered.amount,
        answered.currency,
        answered.booking_date,
        answered.file_no,
        answered.line_no,
        coalesce(
            nullif(lower(replace(answered.end_to_end_id, '-', '')), 'notprovided'),
            replace(replaced.instruction_id::text, '-', '')
        ) as end_to_end_id
    from raw.bank_transaction as answered
    left join ledger.bank_file
        on answered.original_message_id = bank_file.message_id
        and answered.message_format = 'pain002'
        and answered.status = 'RJCT'
        and answered.end_to_end_id is null
    left join ledger.payment_instruction as replaced
        on bank_file.request_id = replaced.request_id
        and replaced.has_account
    where answered.batch_id = %(batch_id)s

)

select
    answer.message_id,
    answer.message_format = 'camt054' and answer.status = 'BOOK' as is_booked,
    answer.account_no,
    answer.entry_reference,
    answer.servicer_reference,
    answer.line_no,
    answer.status,
    answer.reason_code,
    answer.side,
    answer.amount,
    answer.currency,
    answer.booking_date,
    answer.end_to_end_id,
    instruction.fixmedins_code,
    instruction.instruction_id,
    instruction.area_code as instruction_area_code,
    instruction.amount as instruction_amount,
    instruction.has_account,
    array(
        select payment_event.event
        from ledger.payment_event
        where payment_event.fixmedins_code = instruction.fixmedins_code
            and payment_event.instruction_id = instruction.instruction_id
    ) as events
from answer
left join ledger.payment_instruction as instruction
    on case when answer.end_to_end_id ~ '^[0-9a-f]{32}$' then answer.end_to_end_id::uuid end = instruction.instruction_id
order by answer.file_no, answer.line_no, answer.end_to_end_id
