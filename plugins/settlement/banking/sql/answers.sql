-- The bank's answers of a batch, and the area's movements that were held before, whose obstacle may be gone by now: each
-- with the instruction of its own area that it names, and what became of that so far.
-- A report that rejects a whole message names no payment: it stands for every payment of that bank file that the report
-- does not list, because what is listed has a status and a reason of its own.
with held as materialized (

    select distinct
        bank_entry.batch_id,
        bank_entry.end_to_end_id,
        bank_entry.side,
        bank_entry.amount,
        bank_entry.booked_on
    from ledger.bank_entry
    inner join intake.batch
        on bank_entry.area_code = batch.area_code
    where
        batch.batch_id = %(batch_id)s
        and bank_entry.outcome = 'held'

),

judged as materialized (

    select
        told.*,
        false as was_held
    from raw.bank_transaction as told
    where told.batch_id = %(batch_id)s
    union all
    select
        told.*,
        true as was_held
    from raw.bank_transaction as told
    inner join held
        on told.batch_id = held.batch_id
        and told.side = held.side
        and told.amount = held.amount
        and told.booking_date = held.booked_on
        and nullif(lower(replace(told.end_to_end_id, '-', '')), 'notprovided') is not distinct from held.end_to_end_id
    where
        told.message_format = 'camt054'
        and told.status = 'BOOK'
        and told.batch_id <> %(batch_id)s

),

listed as (

    select distinct
        file_no,
        lower(replace(end_to_end_id, '-', '')) as end_to_end_id
    from raw.bank_transaction
    where
        batch_id = %(batch_id)s
        and message_format = 'pain002'
        and end_to_end_id is not null

),

answer as (

    select
        answered.area_code,
        answered.message_id,
        answered.was_held,
        -- The day of the message; one that was made after its own delivery is of that day, or of this batch's, which
        -- tells that the day has come.
        least(
            (coalesce(answered.message_created_at, batch.created_at) at time zone 'Asia/Shanghai')::date,
            (greatest(batch.created_at, this_batch.created_at) at time zone 'Asia/Shanghai')::date
        ) as created_on,
        answered.message_format,
        answered.account_no,
        answered.entry_reference,
        nullif(answered.servicer_reference, '') as servicer_reference,
        answered.booking_reference,
        answered.booking_amount,
        answered.occurrence,
        answered.content,
        answered.is_reversal,
        answered.is_detail,
        answered.is_charge,
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
    from judged as answered
    inner join intake.batch
        on answered.batch_id = batch.batch_id
    inner join intake.batch as this_batch
        on this_batch.batch_id = %(batch_id)s
    left join ledger.bank_file
        on answered.original_message_id = bank_file.message_id
        and answered.area_code = bank_file.area_code
        and answered.message_format = 'pain002'
        and answered.status in ('RJCT', 'CANC')
        and answered.end_to_end_id is null
    left join ledger.payment_instruction as replaced
        on bank_file.request_id = replaced.request_id
        and replaced.has_account
    left join listed
        on answered.file_no = listed.file_no
        and replace(replaced.instruction_id::text, '-', '') = listed.end_to_end_id
    where listed.end_to_end_id is null

),

-- What the bank has ever told of these payments under a reference of its own, numbered as it first came: movements that
-- are alike in all else are told apart by the reference. One without a reference is taken for the first.
movement as (

    select
        told.area_code,
        lower(replace(told.end_to_end_id, '-', '')) as end_to_end_id,
        told.side,
        told.amount,
        told.booking_date,
        told.is_reversal,
        told.servicer_reference,
        row_number() over (
            partition by
                told.area_code,
                lower(replace(told.end_to_end_id, '-', '')),
                told.side,
                told.amount,
                told.booking_date,
                told.is_reversal
            order by min(array[batch.load_id, told.file_no, told.line_no])
        ) as movement_no
    from raw.bank_transaction as told
    inner join intake.batch
        on told.batch_id = batch.batch_id
    where
        told.end_to_end_id in (select judged.end_to_end_id from judged)
        and told.message_format = 'camt054'
        and told.status = 'BOOK'
        and told.servicer_reference <> ''
    group by
        told.area_code,
        lower(replace(told.end_to_end_id, '-', '')),
        told.side,
        told.amount,
        told.booking_date,
        told.is_reversal,
        told.servicer_reference

),

-- Accounts as they are compared: without the blanks and dashes that people write, and a hidden digit as any.
fund_account as materialized (

    select
        area_code,
        fund_pay_type,
        regexp_replace(upper(account_no), '[^0-9A-Z]', '', 'g') as account_no,
        valid_from,
        coalesce(valid_to, date 'infinity') as valid_to
    from reference.fund_account

)

select
    answer.area_code,
    answer.was_held,
    answer.message_id,
    answer.message_format = 'camt054' and answer.status = 'BOOK' as is_booked,
    coalesce(movement.movement_no > 1, false) as is_further_movement,
    answer.account_no,
    -- Of the payment's fund, or of one that serves all; where no payment is named, of any.
    exists (
        select
        from fund_account
        where
            answer.area_code = fund_account.area_code
            and (
                instruction.fund_pay_type is null
                or coalesce(fund_account.fund_pay_type, instruction.fund_pay_type) = instruction.fund_pay_type
            )
            and (
                answer.booking_date between fund_account.valid_from and fund_account.valid_to
                or instruction.pay_date between fund_account.valid_from and fund_account.valid_to
            )
            and fund_account.account_no
            like replace(regexp_replace(upper(answer.account_no), '[^0-9A-Z*]', '', 'g'), '*', '_')
            and length(regexp_replace(answer.account_no, '[^0-9A-Za-z]', '', 'g')) >= 4
    ) as is_own_account,
    answer.entry_reference,
    answer.servicer_reference,
    answer.booking_reference,
    answer.booking_amount,
    answer.line_no,
    answer.occurrence,
    answer.content,
    answer.is_reversal,
    answer.is_detail,
    answer.is_charge,
    answer.status,
    answer.reason_code,
    answer.side,
    answer.amount,
    answer.currency,
    answer.booking_date,
    answer.created_on - booking_age.value::int as earliest_booking_date,
    answer.created_on + booking_ahead.value::int as latest_booking_date,
    answer.end_to_end_id,
    instruction.fixmedins_code,
    instruction.instruction_id,
    instruction.amount as instruction_amount,
    instruction.pay_date,
    instruction.has_account,
    array(
        select payment_event.event
        from ledger.payment_event
        where payment_event.fixmedins_code = instruction.fixmedins_code
            and payment_event.instruction_id = instruction.instruction_id
    ) as events,
    exists (
        select
        from ledger.bank_entry
        where bank_entry.instruction_id = instruction.instruction_id
            and bank_entry.kind = 'status'
            and bank_entry.status_code = any(%(settled)s)
    ) as was_said_to_be_made
from answer
left join movement
    on answer.area_code = movement.area_code
    and answer.end_to_end_id = movement.end_to_end_id
    and answer.side = movement.side
    and answer.amount = movement.amount
    and answer.booking_date = movement.booking_date
    and answer.is_reversal = movement.is_reversal
    and answer.servicer_reference = movement.servicer_reference
left join ledger.payment_instruction as instruction
    on case when answer.end_to_end_id ~ '^[0-9a-f]{32}$' then answer.end_to_end_id::uuid end = instruction.instruction_id
    and answer.area_code = instruction.area_code
left join seeds.settings as booking_age
    on booking_age.setting = 'booking_before_message'
    and answer.created_on between booking_age.valid_from and coalesce(booking_age.valid_to, date 'infinity')
left join seeds.settings as booking_ahead
    on booking_ahead.setting = 'booking_after_message'
    and answer.created_on between booking_ahead.valid_from and coalesce(booking_ahead.valid_to, date 'infinity')
order by answer.file_no, answer.line_no, answer.end_to_end_id
