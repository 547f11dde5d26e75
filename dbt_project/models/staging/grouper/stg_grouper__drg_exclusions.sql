-- Principal diagnoses that exclude the comorbidities of a table.
select
    scheme_id,
    exclusion_table_id,
    dx_code
from {{ source('grouper', 'drg_exclusion') }}
