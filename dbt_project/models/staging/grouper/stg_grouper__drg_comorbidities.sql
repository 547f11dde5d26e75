-- Diagnoses that count as comorbidities.
select
    scheme_id,
    level,
    dx_code,
    exclusion_table_id
from {{ source('grouper', 'drg_comorbidity') }}
