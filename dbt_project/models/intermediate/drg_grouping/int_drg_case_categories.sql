-- The major categories each case may fall into, in the order they are tried, with what their rules ask of the case
-- itself. (90-drg-dip.md §2.2 step 1)
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with valid_operations as (

    select
        case_no,
        bool_or(seq = 1) as is_principal
    from {{ ref('int_drg_case_operations') }}
    where is_valid
    group by case_no

),

cases as (

    select
        cases.case_no,
        cases.scheme_id,
        cases.gender,
        cases.age_years,
        cases.age_days,
        cases.weight_g,
        cases.principal_dx_code,
        cases.principal_op_code,
        valid_operations.case_no is not null as has_valid_operation,
        coalesce(valid_operations.is_principal, false) as is_principal_operation_valid
    from {{ ref('int_drg_cases') }} as cases
    left join valid_operations
        on cases.case_no = valid_operations.case_no
    where cases.check_failure is null

),

categories as (

    select * from {{ ref('stg_grouper__drg_categories') }}

),

category_sites as (

    select
        diagnoses.scheme_id,
        diagnoses.mdc,
        diagnoses.site,
        diagnoses.dx_code,
        categories.gate
    from {{ ref('stg_grouper__drg_category_diagnoses') }} as diagnoses
    inner join categories
        on diagnoses.scheme_id = categories.scheme_id
        and diagnoses.mdc = categories.mdc

),

category_diagnoses as (

    select distinct
        scheme_id,
        mdc,
        dx_code,
        gate
    from category_sites

),

-- Several injured sites: all diagnoses of the case together name at least two.
multiple_sites as (

    select
        case_diagnoses.case_no,
        category_sites.mdc,
        category_sites.gate
    from {{ ref('int_drg_case_diagnoses') }} as case_diagnoses
    inner join category_sites
        on case_diagnoses.scheme_id = category_sites.scheme_id
        and case_diagnoses.dx_code = category_sites.dx_code
    where category_sites.gate in ('DX1_MULTISITE', 'DXANY_MULTISITE')
    group by
        case_diagnoses.case_no,
        category_sites.mdc,
        category_sites.gate
    having count(distinct category_sites.site) >= 2

),

any_diagnosis as (

    select distinct
        case_diagnoses.case_no,
        category_diagnoses.mdc
    from {{ ref('int_drg_case_diagnoses') }} as case_diagnoses
    inner join category_diagnoses
        on case_diagnoses.scheme_id = category_diagnoses.scheme_id
        and case_diagnoses.dx_code = category_diagnoses.dx_code
    where category_diagnoses.gate = 'DXANY'

),

reached as (

    select
        cases.*,
        category_diagnoses.mdc
    from cases
    inner join category_diagnoses
        on cases.scheme_id = category_diagnoses.scheme_id
        and cases.principal_dx_code = category_diagnoses.dx_code
    where category_diagnoses.gate = 'DX1'

    union all

    select
        cases.*,
        multiple_sites.mdc
    from cases
    inner join multiple_sites
        on cases.case_no = multiple_sites.case_no
    left join category_diagnoses
        on cases.scheme_id = category_diagnoses.scheme_id
        and cases.principal_dx_code = category_diagnoses.dx_code
        and multiple_sites.mdc = category_diagnoses.mdc
    where multiple_sites.gate = 'DXANY_MULTISITE' or category_diagnoses.mdc is not null

    union all

    select
        cases.*,
        any_diagnosis.mdc
    from cases
    inner join any_diagnosis
        on cases.case_no = any_diagnosis.case_no

    union all

    select
        cases.*,
        categories.mdc
    from cases
    inner join categories
        on cases.scheme_id = categories.scheme_id
    where
        categories.gate = 'TRUE'
        or (categories.gate = 'VALID_OP1' and cases.is_principal_operation_valid)

)

select
    reached.case_no,
    reached.scheme_id,
    reached.mdc,
    categories.eval_order,
    reached.principal_dx_code,
    reached.principal_op_code,
    reached.age_days,
    reached.weight_g,
    reached.has_valid_operation,
    reached.is_principal_operation_valid
from reached
inner join categories
    on reached.scheme_id = categories.scheme_id
    and reached.mdc = categories.mdc
where
    reached.gender = coalesce(categories.sex, reached.gender)
    and (not categories.infant_only or reached.age_years = 0)
