-- Decisions on payment requests.
select
    request_id,
    decision,
    decided_by,
    is_by_rule,
    reason,
    decided_at
from {{ source('ledger', 'payment_decision') }}
