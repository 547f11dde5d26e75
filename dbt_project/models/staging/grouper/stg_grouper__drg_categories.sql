-- Major diagnostic categories and the order they are tried in.
select
    scheme_id,
    mdc,
    eval_order,
    gate,
    sex,
    infant_only,
    qy_mode,
    op_retry
from {{ source('grouper', 'drg_mdc') }}
