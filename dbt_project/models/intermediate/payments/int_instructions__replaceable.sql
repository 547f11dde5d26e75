-- The newest instruction that the bank sent back and no other has replaced, by institution, fund and month.
with instructions as (

    select * from {{ ref('stg_ledger__payment_instructions') }}

),

failed_events as (

    select * from {{ ref('stg_ledger__payment_events') }}
    where event in ('rejected', 'returned')

)

select distinct on (
    instructions.area_code, instructions.fixmedins_code, instructions.fund_pay_type, instructions.settlement_month
)
    instructions.area_code,
    instructions.fixmedins_code,
    instructions.fund_pay_type,
    instructions.settlement_month,
    instructions.instruction_id
from instructions
inner join failed_events
    on instructions.fixmedins_code = failed_events.fixmedins_code
    and instructions.instruction_id = failed_events.instruction_id
left join instructions as replacements
    on instructions.instruction_id = replacements.replaces_instruction_id
where replacements.instruction_id is null
order by
    instructions.area_code asc,
    instructions.fixmedins_code asc,
    instructions.fund_pay_type asc,
    instructions.settlement_month asc,
    instructions.pay_date desc,
    instructions.sequence desc
