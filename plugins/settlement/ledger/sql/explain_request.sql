select
    requests.request_id, requests.line_count, requests.total_amount, requests.status, requests.decided_by,
    requests.is_decided_by_rule, requests.decision_reason, requests.requested_by, bank_file.message_id,
    bank_file.control_sum_amount, bank_file.sha256
from marts.fct_payment_requests as requests
inner join ledger.payment_instruction
    on requests.request_id = payment_instruction.request_id
left join ledger.bank_file
    on requests.request_id = bank_file.request_id
where payment_instruction.instruction_id = %(instruction_id)s
