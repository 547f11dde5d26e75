-- Dated register of designated institutions.
select
    fixmedins_code,
    name,
    area_code,
    fixmedins_type,
    hosp_lv,
    institution_class,
    ownership,
    agreement_status,
    agreement_from,
    consortium_code,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'institution') }}
