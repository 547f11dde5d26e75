-- The groups that every main diagnosis which occurs leads to: found once for a code, and not for every case. A diagnosis
-- stands for itself, its subcategory and its category.
{{ config(materialized='work_table', tags=['dip_grouping']) }}
with diagnosis_keys as (

    select distinct
        scheme_id,
        principal_dx_code as dx_code,
        unnest(array[principal_dx_code, left(principal_dx_code, 5), left(principal_dx_code, 3)]) as dx_key
    from {{ ref('int_dip_cases') }}
    where check_failure is null

)

select distinct
    diagnosis_keys.scheme_id,
    diagnosis_keys.dx_code,
    group_diagnoses.group_id
from diagnosis_keys
inner join {{ ref('stg_grouper__dip_group_diagnoses') }} as group_diagnoses
    on diagnosis_keys.scheme_id = group_diagnoses.scheme_id
    and diagnosis_keys.dx_key = group_diagnoses.dx_key
    and group_diagnoses.role = 'main'
