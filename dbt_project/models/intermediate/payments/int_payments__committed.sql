-- Money that is already on its way to an institution: instructed and not sent back, or requested and not refused. What
-- the bank rejected but booked all the same is on its way too: it must not be paid again by itself.
with instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

failed_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event in ('rejected', 'returned')

),

still_out as (

    select * from {{ ref('int_instructions__still_out') }}

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

instructed as (

    select
        instructions.area_code,
        instructions.fixmedins_code,
        instructions.fund_pay_type,
        instructions.settlement_month,
        instructions.pay_date,
        instructions.amount
    from instructions
    left join failed_events
        on instructions.fixmedins_code = failed_events.fixmedins_code
        and instructions.instruction_id = failed_events.instruction_id
    left join still_out
        on instructions.instruction_id = still_out.instruction_id
    -- An instruction without an account is shown but nothing was sent: the money stays payable.
    where
        instructions.has_account
        and (failed_events.instruction_id is null or still_out.instruction_id is not null)

),

-- Undecided, or approved in a run that was interrupted before it instructed.
requested as (

    select
        requests.area_code,
        request_lines.fixmedins_code,
        requests.fund_pay_type,
        request_lines.settlement_month,
        requests.pay_date,
        request_lines.amount
    from requests
    inner join request_lines
        on requests.request_id = request_lines.request_id
    left join decisions
        on requests.request_id = decisions.request_id
    left join instructions
        on request_lines.request_id = instructions.request_id
        and request_lines.fixmedins_code = instructions.fixmedins_code
        and request_lines.settlement_month = instructions.settlement_month
    where
        coalesce(decisions.decision, 'approved') = 'approved'
        and instructions.instruction_id is null

)

select
    area_code,
    fixmedins_code,
    fund_pay_type,
    settlement_month,
    pay_date,
    amount
from instructed
union all
select
    area_code,
    fixmedins_code,
    fund_pay_type,
    settlement_month,
    pay_date,
    amount
from requested
