-- Operations in the lists of a rule.
select
    scheme_id,
    rule_id,
    slot,
    op_code
from {{ source('grouper', 'drg_rule_operation') }}
