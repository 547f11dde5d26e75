-- Findings of all rules in one list.
{% for rule in ['duplicate_fee_line', 'price_above_ceiling', 'coding'] %}
select
    finding_id,
    rule_code,
    severity,
    area_code,
    fixmedins_code,
    setl_id,
    feedetl_sn,
    business_date,
    line_batch_id,
    line_inscp_amount,
    refused_inscp_amount,
    evidence
from {{ ref('int_findings__' ~ rule) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
