select
    instructions.instruction_id, instructions.area_code, instructions.fixmedins_code, instructions.fund_pay_type,
    instructions.settlement_month, instructions.instructed_on as pay_date, instructions.purpose, instructions.amount,
    instructions.status, instructions.paid_on, instructions.failed_on, instructions.failure_reason_code,
    instructions.replaces_instruction_id, replaced_by.instruction_id as replaced_by_instruction_id
from marts.fct_payment_instructions as instructions
left join ledger.payment_instruction as replaced_by
    on instructions.instruction_id = replaced_by.replaces_instruction_id
where instructions.instruction_id = %(instruction_id)s
