-- Payment requests with the decision on them.
with requests as (

    select * from {{ ref('stg_ledger__payment_requests') }}

),

decisions as (

    select * from {{ ref('stg_ledger__payment_decisions') }}

)

select
    requests.request_id,
    requests.area_code,
    requests.fund_pay_type,
    requests.pay_date,
    requests.purpose,
    requests.line_count,
    requests.total_amount,
    coalesce(decisions.decision, 'requested') as status,
    case when decisions.decision = 'approved' then decisions.decided_by end as approved_by,
    decisions.is_by_rule as is_decided_by_rule,
    decisions.decided_by,
    decisions.decided_at,
    decisions.reason as decision_reason,
    requests.plan_amount,
    requests.plan_used_before_amount,
    requests.reserve_amount,
    requests.reserve_used_amount,
    requests.is_over_plan,
    requests.approval_threshold_amount,
    requests.requested_by
from requests
left join decisions
    on requests.request_id = decisions.request_id
