-- Payment instructions with the state that the bank's answers give them.
with instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

paid_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event = 'paid'

),

failed_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event in ('rejected', 'returned')

)

select
    instructions.instruction_id,
    instructions.request_id,
    instructions.area_code,
    instructions.fixmedins_code,
    instructions.fund_pay_type,
    instructions.settlement_month,
    instructions.pay_date as instructed_on,
    instructions.purpose,
    instructions.amount,
    case
        when failed_events.event is not null then failed_events.event
        when paid_events.event is not null then paid_events.event
        when instructions.suspended_by is not null then 'suspended'
        when instructions.is_account_changed then 'account_changed'
        when instructions.is_disputed then 'disputed'
        when not instructions.has_account then 'no_account'
        else 'instructed'
    end as status,
    paid_events.event_date as paid_on,
    failed_events.event_date as failed_on,
    failed_events.reason_code as failure_reason_code,
    instructions.replaces_instruction_id
from instructions
left join paid_events
    on instructions.fixmedins_code = paid_events.fixmedins_code
    and instructions.instruction_id = paid_events.instruction_id
left join failed_events
    on instructions.fixmedins_code = failed_events.fixmedins_code
    and instructions.instruction_id = failed_events.instruction_id
