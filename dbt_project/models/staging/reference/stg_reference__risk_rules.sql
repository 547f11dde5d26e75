-- Dated risk rules of areas.
select
    area_code,
    rule_code,
    threshold,
    action,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'risk_rule') }}
