-- Suspensions of daily payment, from the day they opened to the day payment resumes.
select
    suspension_id,
    area_code,
    fixmedins_code,
    fund_pay_type,
    rule_code,
    opened_on,
    lifted_on,
    resumes_on,
    evidence
from {{ ref('int_suspensions__standing') }}
