-- The cases of the run's set that are grouped by a DRG scheme, with what keeps a case from being grouped at all, and
-- whether operations of it count.
{{ config(
    materialized='work_table',
    tags=['drg_grouping'],
    statistics_of=['case_no', 'scheme_id', 'principal_dx_code', 'principal_op_code', 'check_failure']
) }}
with cases as (

    select * from {{ ref('int_cases__to_group') }}

),

schemes as (

    select * from {{ ref('stg_grouper__schemes') }}
    where kind = 'drg'

),

valid_operations as (

    select
        case_no,
        bool_or(seq = 1) as is_principal
    from {{ ref('int_drg_case_operations') }}
    where is_valid
    group by case_no

)

select
    cases.case_no,
    cases.case_id,
    cases.scheme_id,
    cases.gender,
    cases.age_years,
    cases.age_days,
    cases.weight_g,
    cases.stay_days,
    cases.discharge_way,
    cases.dx_codes,
    cases.op_codes,
    cases.dx_codes[1] as principal_dx_code,
    cases.op_codes[1] as principal_op_code,
    valid_operations.case_no is not null as has_valid_operation,
    coalesce(valid_operations.is_principal, false) as is_principal_operation_valid,
    -- 90-drg-dip.md §2.2 step 0
    case
        when cases.gender is null or cases.gender not in ('1', '2') then 'GENDER'
        when cases.age_years is null then 'AGE'
        when cases.age_years = 0 and cases.age_days is null then 'AGE_DAYS'
        when cases.age_years = 0 and cases.age_days <= 28 and cases.weight_g is null then 'WEIGHT'
        when coalesce(cases.dx_codes[1], '') = '' then 'NO_DIAGNOSIS'
    end as check_failure
from cases
inner join schemes
    on cases.scheme_id = schemes.scheme_id
left join valid_operations
    on cases.case_no = valid_operations.case_no
