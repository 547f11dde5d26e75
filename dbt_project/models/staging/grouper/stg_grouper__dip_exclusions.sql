-- Diagnoses outside DIP, and operations that count as none.
select
    scheme_id,
    kind,
    code
from {{ source('grouper', 'dip_exclusion') }}
