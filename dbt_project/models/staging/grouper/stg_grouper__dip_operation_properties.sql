-- What kind of operation each is.
select
    scheme_id,
    op_code,
    property
from {{ source('grouper', 'dip_operation_property') }}
