-- Diagnoses that lead into a category, with the body site they are of.
select
    scheme_id,
    mdc,
    site,
    dx_code
from {{ source('grouper', 'drg_mdc_diagnosis') }}
