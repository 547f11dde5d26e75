-- Secondary diagnoses that add to the comorbidity index of DIP.
select
    scheme_id,
    dx_key,
    weight
from {{ source('grouper', 'dip_comorbidity_weight') }}
