-- The groups that every main diagnosis which occurs leads to: found once for a code, and not for every case. A diagnosis
-- stands for itself, its subcategory and its category; a group of '*' takes any.
{{ config(materialized='work_table', tags=['dip_grouping']) }}
with diagnoses as (

    select distinct
        scheme_id,
        principal_dx_code as dx_code
    from {{ ref('int_dip_cases') }}
    where check_failure is null

),

diagnosis_keys as (

    select
        scheme_id,
        dx_code,
        unnest(array[dx_code, left(dx_code, 5), left(dx_code, 3)]) as dx_key
    from diagnoses

)

select
    diagnosis_keys.scheme_id,
    diagnosis_keys.dx_code,
    group_diagnoses.group_id
from diagnosis_keys
inner join {{ ref('stg_grouper__dip_group_diagnoses') }} as group_diagnoses
    on diagnosis_keys.scheme_id = group_diagnoses.scheme_id
    and diagnosis_keys.dx_key = group_diagnoses.dx_key
    and group_diagnoses.role = 'main'

union distinct

select
    diagnoses.scheme_id,
    diagnoses.dx_code,
    catalogue.group_id
from diagnoses
inner join {{ ref('stg_grouper__dip_groups') }} as catalogue
    on diagnoses.scheme_id = catalogue.scheme_id
    and catalogue.dx = '*'
