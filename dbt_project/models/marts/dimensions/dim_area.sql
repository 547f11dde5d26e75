-- Areas with the parameters in force from one day to another.
select
    area_code,
    name as area_name,
    province_code,
    is_declaration_required,
    approval_threshold_amount,
    point_basis,
    valid_from,
    nullif(valid_to, date 'infinity') as valid_to
from {{ ref('stg_reference__areas') }}
