-- The newest failed instruction whose money is back and that no request has carried again, by institution, fund and month.
with instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

payment_events as (

    select * from {{ ref('stg_ledger__payment_events') }}

),

failed_events as (

    select * from payment_events
    where event in ('rejected', 'returned')

),

bank_entries as (

    select * from {{ ref('stg_ledger__bank_entries') }}

),

still_out as (

    select * from {{ ref('int_instructions__still_out') }}

),

disputed as (

    select * from {{ ref('int_instructions__disputed') }}

),

requests as (

    select * from {{ ref('stg_ledger__payment_requests') }}

),

request_lines as (

    select * from {{ ref('stg_ledger__payment_request_lines') }}

),

decisions as (

    select * from {{ ref('stg_ledger__payment_decisions') }}

),

-- Sent back by the bank, which is known when the last of the bank's entries about it has come; or meant to replace
-- such a one, and not sent because the account was missing.
failed as (

    select
        failed_events.instruction_id,
        max(bank_entries.received_at) as failed_at
    from failed_events
    inner join payment_events
        on failed_events.fixmedins_code = payment_events.fixmedins_code
        and failed_events.instruction_id = payment_events.instruction_id
    inner join bank_entries
        on payment_events.bank_entry_id = bank_entries.bank_entry_id
    group by failed_events.instruction_id
    union all
    -- It left after all, and the bank gave it back; a credit that was held is none that came back.
    select
        failed_events.instruction_id,
        max(bank_entries.received_at) as failed_at
    from failed_events
    inner join bank_entries
        on failed_events.fixmedins_code = bank_entries.fixmedins_code
        and failed_events.instruction_id = bank_entries.instruction_id
    where bank_entries.kind = 'booked' and bank_entries.side = 'credit' and bank_entries.outcome is distinct from 'held'
    group by failed_events.instruction_id
    union all
    select
        instructions.instruction_id,
        requests.requested_at as failed_at
    from instructions
    inner join requests
        on instructions.request_id = requests.request_id
    where
        not instructions.has_account
        and instructions.replaces_instruction_id is not null

),

-- A line asks for everything that is due by then, so it carries what failed before it, although it names only the
-- newest. It does so from the moment it is requested: a second line that named the same instruction could never be
-- instructed. What a person refused carries nothing.
carrying_lines as (

    select
        requests.area_code,
        requests.fund_pay_type,
        requests.requested_at,
        request_lines.fixmedins_code,
        request_lines.settlement_month,
        request_lines.replaces_instruction_id
    from requests
    inner join request_lines
        on requests.request_id = request_lines.request_id
    left join decisions
        on requests.request_id = decisions.request_id
    where coalesce(decisions.decision, 'undecided') <> 'rejected'

)

select distinct on (
    instructions.area_code, instructions.fixmedins_code, instructions.fund_pay_type, instructions.settlement_month
)
    instructions.area_code,
    instructions.fixmedins_code,
    instructions.fund_pay_type,
    instructions.settlement_month,
    instructions.instruction_id,
    -- The newest names all: one of them that is disputed makes the payment that carries them so.
    bool_or(disputed.instruction_id is not null) over (
        partition by
            instructions.area_code, instructions.fixmedins_code, instructions.fund_pay_type,
            instructions.settlement_month
    ) as is_disputed
from instructions
inner join failed
    on instructions.instruction_id = failed.instruction_id
left join still_out
    on instructions.instruction_id = still_out.instruction_id
left join disputed
    on instructions.instruction_id = disputed.instruction_id
where
    still_out.instruction_id is null
    and not exists (
        select
        from carrying_lines
        where
            carrying_lines.area_code = instructions.area_code
            and carrying_lines.fixmedins_code = instructions.fixmedins_code
            and carrying_lines.fund_pay_type = instructions.fund_pay_type
            and carrying_lines.settlement_month = instructions.settlement_month
            and (
                carrying_lines.requested_at > failed.failed_at
                or carrying_lines.replaces_instruction_id = instructions.instruction_id
            )
    )
order by
    instructions.area_code asc,
    instructions.fixmedins_code asc,
    instructions.fund_pay_type asc,
    instructions.settlement_month asc,
    instructions.pay_date desc,
    instructions.sequence desc
