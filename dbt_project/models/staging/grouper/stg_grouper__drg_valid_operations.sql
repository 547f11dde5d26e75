-- Operations that count for grouping.
select
    scheme_id,
    op_code,
    name
from {{ source('grouper', 'drg_valid_operation') }}
