-- Payment requests as they were made.
select
    request_id,
    area_code,
    fund_pay_type,
    pay_date,
    purpose,
    line_count,
    total_amount,
    plan_amount,
    plan_used_before_amount,
    reserve_amount,
    reserve_used_before_amount,
    reserve_used_amount,
    is_over_plan,
    approval_threshold_amount,
    requested_by,
    requested_at
from {{ source('ledger', 'payment_request') }}
