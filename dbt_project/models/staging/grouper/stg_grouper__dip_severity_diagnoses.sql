-- Secondary diagnoses that make a stay severe or moderate.
select
    scheme_id,
    dx_key,
    severity
from {{ source('grouper', 'dip_severity_diagnosis') }}
