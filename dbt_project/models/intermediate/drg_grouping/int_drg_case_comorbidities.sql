-- The secondary diagnoses that are comorbidities, and whether the principal diagnosis excludes each.
-- (90-drg-dip.md §2.2 step 4: a comorbidity is ignored when the principal diagnosis stands in its exclusion table)
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}
    where check_failure is null

),

secondary_diagnoses as (

    select
        case_no,
        scheme_id,
        principal_dx_code,
        generate_series(2, cardinality(dx_codes)) as seq,
        unnest(dx_codes[2:]) as dx_code
    from cases

),

comorbidities as (

    select * from {{ ref('stg_grouper__drg_comorbidities') }}

),

exclusions as (

    select * from {{ ref('stg_grouper__drg_exclusions') }}

)

select
    secondary_diagnoses.case_no,
    secondary_diagnoses.seq,
    secondary_diagnoses.dx_code,
    comorbidities.level,
    comorbidities.exclusion_table_id,
    exclusions.dx_code is not null as is_excluded
from secondary_diagnoses
inner join comorbidities
    on secondary_diagnoses.scheme_id = comorbidities.scheme_id
    and secondary_diagnoses.dx_code = comorbidities.dx_code
left join exclusions
    on secondary_diagnoses.scheme_id = exclusions.scheme_id
    and secondary_diagnoses.principal_dx_code = exclusions.dx_code
    and comorbidities.exclusion_table_id = exclusions.exclusion_table_id
