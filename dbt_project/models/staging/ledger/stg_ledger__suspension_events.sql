-- Suspensions opened and lifted.
select
    suspension_id,
    event,
    area_code,
    fixmedins_code,
    fund_pay_type,
    rule_code,
    event_date,
    resumes_on,
    evidence
from {{ source('ledger', 'suspension_event') }}
