-- Diagnoses in the lists of a group's own.
select
    scheme_id,
    rule_id,
    drg_code,
    slot,
    dx_code
from {{ source('grouper', 'drg_group_diagnosis') }}
