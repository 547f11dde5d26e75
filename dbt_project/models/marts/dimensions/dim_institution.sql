-- Designated institutions as they were from one day to another.
select
    fixmedins_code,
    name as institution_name,
    area_code,
    fixmedins_type,
    hosp_lv,
    institution_class,
    ownership,
    agreement_status,
    agreement_from,
    consortium_code,
    valid_from,
    nullif(valid_to, date 'infinity') as valid_to
from {{ ref('stg_reference__institutions') }}
