-- Cases of a set that are to be grouped.
select
    case_no,
    case_set,
    case_id,
    scheme_id,
    gender,
    age_years,
    age_days,
    weight_g,
    stay_days,
    discharge_way,
    dx_codes,
    op_codes
from {{ source('grouper', 'patient_case') }}
