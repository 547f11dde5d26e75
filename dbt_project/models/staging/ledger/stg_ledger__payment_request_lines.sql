-- Lines of payment requests.
select
    request_id,
    fixmedins_code,
    settlement_month,
    amount,
    replaces_instruction_id,
    flag,
    account_name,
    account_no,
    bank_code
from {{ source('ledger', 'payment_request_line') }}
