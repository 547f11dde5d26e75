-- Findings of the checks on coding. They compare a month's cases with each other and with stays of months before, so they
-- are computed once, when the month is booked, and stored: the daily stage reads what is here and computes none of it.
{{
    config(
        materialized='period_replace',
        period_predicate='settlement_month = ' ~ booked_month() ~ ' and ' ~ in_run_area('area_code'),
        contract={'enforced': true},
        indexes=[{'columns': ['settlement_month', 'area_code']}, {'columns': ['business_date', 'area_code']}],
        tags=['booking'],
    )
}}
{% for rule in ['upcoding', 'split_stay', 'low_standard_admission', 'missing_operation'] %}
select
    finding_id,
    rule_code,
    severity,
    area_code,
    fixmedins_code,
    setl_id,
    feedetl_sn,
    business_date,
    {{ booked_month() }} as settlement_month,
    line_batch_id,
    line_inscp_amount::numeric(18, 2) as line_inscp_amount,
    refused_inscp_amount::numeric(18, 2) as refused_inscp_amount,
    evidence
from {{ ref('int_findings__' ~ rule) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
