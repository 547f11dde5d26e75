-- The secondary diagnoses that are comorbidities, and whether the principal diagnosis excludes each.
-- (90-drg-dip.md §2.2 step 4: a comorbidity is ignored when the principal diagnosis stands in its exclusion table)
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with case_diagnoses as (

    select * from {{ ref('int_drg_case_diagnoses') }}

),

comorbidities as (

    select * from {{ ref('stg_grouper__drg_comorbidities') }}

),

exclusions as (

    select * from {{ ref('stg_grouper__drg_exclusions') }}

)

select
    case_diagnoses.case_no,
    case_diagnoses.seq,
    case_diagnoses.dx_code,
    comorbidities.level,
    comorbidities.exclusion_table_id,
    exclusions.dx_code is not null as is_excluded
from case_diagnoses
inner join comorbidities
    on case_diagnoses.scheme_id = comorbidities.scheme_id
    and case_diagnoses.dx_code = comorbidities.dx_code
left join exclusions
    on case_diagnoses.scheme_id = exclusions.scheme_id
    and case_diagnoses.principal_dx_code = exclusions.dx_code
    and comorbidities.exclusion_table_id = exclusions.exclusion_table_id
where case_diagnoses.seq > 1
