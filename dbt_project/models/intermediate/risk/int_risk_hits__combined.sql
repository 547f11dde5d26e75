-- Hits of all risk rules on the pay date in one list, with what each does: suspend or alert.
select
    area_code,
    fixmedins_code,
    fund_pay_type,
    rule_code,
    action,
    evidence
from {{ ref('int_risk_hits__k1') }}
union all
select
    area_code,
    fixmedins_code,
    fund_pay_type,
    rule_code,
    action,
    evidence
from {{ ref('int_risk_hits__k2') }}
