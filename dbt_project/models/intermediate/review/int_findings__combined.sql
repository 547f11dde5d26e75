-- Findings of all rules in one list.
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
from {{ ref('int_findings__duplicate_fee_line') }}
union all
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
from {{ ref('int_findings__price_above_ceiling') }}
union all
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
from {{ ref('int_findings__coding') }}
