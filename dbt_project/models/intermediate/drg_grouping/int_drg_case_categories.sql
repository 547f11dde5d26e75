-- The major categories each case may fall into, in the order they are tried. (90-drg-dip.md §2.2 step 1)
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}
    where check_failure is null

),

categories as (

    select * from {{ ref('stg_grouper__drg_categories') }}

),

category_diagnoses as (

    select distinct
        scheme_id,
        mdc,
        dx_code
    from {{ ref('stg_grouper__drg_category_diagnoses') }}

),

valid_operations as (

    select * from {{ ref('int_drg_valid_operations_of_cases') }}

),

-- Several injured sites: all diagnoses of the case together name at least two.
multiple_sites as (

    select
        case_diagnoses.case_no,
        category_sites.mdc
    from {{ ref('int_drg_case_diagnoses') }} as case_diagnoses
    inner join {{ ref('stg_grouper__drg_category_diagnoses') }} as category_sites
        on case_diagnoses.scheme_id = category_sites.scheme_id
        and case_diagnoses.dx_code = category_sites.dx_code
    inner join categories
        on category_sites.scheme_id = categories.scheme_id
        and category_sites.mdc = categories.mdc
        and categories.gate in ('DX1_MULTISITE', 'DXANY_MULTISITE')
    group by
        case_diagnoses.case_no,
        category_sites.mdc
    having count(distinct category_sites.site) >= 2

),

-- Through the principal diagnosis, with several sites where the category asks for them.
by_principal_diagnosis as (

    select
        cases.case_no,
        categories.mdc
    from cases
    inner join category_diagnoses
        on cases.scheme_id = category_diagnoses.scheme_id
        and cases.principal_dx_code = category_diagnoses.dx_code
    inner join categories
        on category_diagnoses.scheme_id = categories.scheme_id
        and category_diagnoses.mdc = categories.mdc
    left join multiple_sites
        on cases.case_no = multiple_sites.case_no
        and categories.mdc = multiple_sites.mdc
    where
        categories.gate = 'DX1'
        or (categories.gate = 'DX1_MULTISITE' and multiple_sites.case_no is not null)

),

by_any_diagnosis as (

    select distinct
        case_diagnoses.case_no,
        categories.mdc
    from categories
    inner join category_diagnoses
        on categories.scheme_id = category_diagnoses.scheme_id
        and categories.mdc = category_diagnoses.mdc
    inner join {{ ref('int_drg_case_diagnoses') }} as case_diagnoses
        on category_diagnoses.scheme_id = case_diagnoses.scheme_id
        and category_diagnoses.dx_code = case_diagnoses.dx_code
    where categories.gate = 'DXANY'

    union all

    select
        multiple_sites.case_no,
        multiple_sites.mdc
    from multiple_sites
    inner join cases
        on multiple_sites.case_no = cases.case_no
    inner join categories
        on cases.scheme_id = categories.scheme_id
        and multiple_sites.mdc = categories.mdc
    where categories.gate = 'DXANY_MULTISITE'

),

without_diagnosis as (

    select
        cases.case_no,
        categories.mdc
    from cases
    inner join categories
        on cases.scheme_id = categories.scheme_id
        and categories.gate in ('VALID_OP1', 'TRUE')
    left join valid_operations
        on cases.case_no = valid_operations.case_no
    where categories.gate = 'TRUE' or valid_operations.is_principal_valid

),

reached as (

    select * from by_principal_diagnosis
    union all
    select * from by_any_diagnosis
    union all
    select * from without_diagnosis

)

select
    reached.case_no,
    cases.scheme_id,
    reached.mdc,
    categories.eval_order,
    categories.qy_mode
from reached
inner join cases
    on reached.case_no = cases.case_no
inner join categories
    on cases.scheme_id = categories.scheme_id
    and reached.mdc = categories.mdc
where
    cases.gender = coalesce(categories.sex, cases.gender)
    and (not categories.infant_only or cases.age_years = 0)
