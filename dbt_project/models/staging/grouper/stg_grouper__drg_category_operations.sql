-- Operations that lead into a category.
select
    scheme_id,
    mdc,
    op_code
from {{ source('grouper', 'drg_mdc_operation') }}
