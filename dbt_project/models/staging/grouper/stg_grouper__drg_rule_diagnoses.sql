-- Diagnoses in the lists of a rule.
select
    scheme_id,
    rule_id,
    slot,
    dx_code
from {{ source('grouper', 'drg_rule_diagnosis') }}
