-- Operations in the lists of a group's own.
select
    scheme_id,
    rule_id,
    drg_code,
    slot,
    op_code
from {{ source('grouper', 'drg_group_operation') }}
