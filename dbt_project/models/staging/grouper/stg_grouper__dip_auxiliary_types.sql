-- Auxiliary types of DIP groups with their coefficients.
select
    scheme_id,
    group_id,
    dimension,
    type_code,
    coefficient
from {{ source('grouper', 'dip_auxiliary_type') }}
