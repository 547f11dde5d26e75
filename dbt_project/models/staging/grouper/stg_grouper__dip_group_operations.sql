-- Operations of DIP groups; term 0 is the main one.
select
    scheme_id,
    group_id,
    alternative,
    term,
    op_code
from {{ source('grouper', 'dip_group_operation') }}
