-- Diagnoses of DIP groups, by whole code, subcategory or category.
select
    scheme_id,
    group_id,
    role,
    dx_key
from {{ source('grouper', 'dip_group_diagnosis') }}
