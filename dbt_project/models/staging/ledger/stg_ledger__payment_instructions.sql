-- Payment instructions as they were written.
select
    fixmedins_code,
    instruction_id,
    request_id,
    area_code,
    fund_pay_type,
    settlement_month,
    pay_date,
    purpose,
    sequence,
    amount,
    has_account,
    account_name,
    account_no,
    bank_code,
    suspended_by,
    is_account_changed,
    is_disputed,
    replaces_instruction_id
from {{ source('ledger', 'payment_instruction') }}
