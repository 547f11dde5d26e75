-- Decisions of reviewers on findings.
select
    finding_id,
    decision,
    amount as decided_amount,
    decided_by,
    decided_at,
    (decided_at at time zone 'Asia/Shanghai')::date as decided_date,
    reason,
    stage,
    area_code,
    batch_id
from {{ source('raw', 'review_decision') }}
