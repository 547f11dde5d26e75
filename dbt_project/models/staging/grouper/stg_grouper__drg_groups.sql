-- Groups of a rule in the order they are tried.
select
    scheme_id,
    rule_id,
    drg_order,
    drg_code,
    severity_rule,
    name
from {{ source('grouper', 'drg_group') }}
