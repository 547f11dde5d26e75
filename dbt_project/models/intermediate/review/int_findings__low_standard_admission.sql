-- V05: a short stay that cost a small part of what a case of its group costs: it may not have needed a bed.
-- (90-drg-dip.md §3.3: 低标入院)
with stays as (

    -- Who dies soon has cost little, and was admitted with reason.
    select * from {{ ref('int_stays__booked') }}
    where case_status = 'GROUPED' and discharge_way is distinct from '5'

),

review_rules as (

    select * from {{ ref('review_rules') }}
    where rule_code = 'V05'

),

limits as (

    select
        max(value) filter (where setting = 'low_admission_cost_rate') as cost_rate,
        max(value) filter (where setting = 'low_admission_days') as stay_days
    from {{ ref('settings') }}
    where {{ booked_month_end() }} between valid_from and coalesce(valid_to, date 'infinity')

)

select
    concat_ws(':', stays.fixmedins_code, review_rules.rule_code, stays.setl_id) as finding_id,
    review_rules.rule_code,
    review_rules.severity,
    stays.area_code,
    stays.fixmedins_code,
    stays.setl_id,
    null::text as feedetl_sn,
    stays.business_date,
    stays.list_batch_id as line_batch_id,
    null::numeric as line_inscp_amount,
    0::numeric as refused_inscp_amount,
    jsonb_build_object(
        'group', stays.group_code,
        'total_cost_amount', stays.total_cost_amount,
        'standard_amount', stays.standard_amount,
        'cost_rate', round(stays.total_cost_amount / stays.standard_amount, 6),
        'stay_days', stays.stay_days,
        'discharge_way', stays.discharge_way
    ) as evidence
from stays
cross join limits
inner join review_rules
    on stays.business_date between review_rules.valid_from and coalesce(review_rules.valid_to, date 'infinity')
where
    stays.total_cost_amount < limits.cost_rate * stays.standard_amount
    and stays.stay_days <= limits.stay_days
