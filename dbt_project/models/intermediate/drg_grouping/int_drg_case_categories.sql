-- The major categories each case may fall into, in the order they are tried, with what their rules ask of the case
-- itself. (90-drg-dip.md §2.2 step 1)
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as not materialized (

    select
        case_no,
        scheme_id,
        gender,
        age_years,
        age_days,
        weight_g,
        stay_days,
        principal_dx_code,
        principal_op_code,
        has_valid_operation,
        is_principal_operation_valid
    from {{ ref('int_drg_cases') }}
    where check_failure is null

),

categories as not materialized (

    select * from {{ ref('stg_grouper__drg_categories') }}

),

category_diagnoses as not materialized (

    select * from {{ ref('int_drg_category_diagnoses') }}

),

-- Several injured sites: all diagnoses of the case together name at least two.
multiple_sites as (

    select
        case_diagnoses.case_no,
        categories.mdc,
        categories.gate
    from {{ ref('int_drg_case_diagnoses') }} as case_diagnoses
    inner join {{ ref('stg_grouper__drg_category_diagnoses') }} as category_sites
        on case_diagnoses.scheme_id = category_sites.scheme_id
        and case_diagnoses.dx_code = category_sites.dx_code
    inner join categories
        on category_sites.scheme_id = categories.scheme_id
        and category_sites.mdc = categories.mdc
    where categories.gate in ('DX1_MULTISITE', 'DXANY_MULTISITE')
    group by
        case_diagnoses.case_no,
        categories.mdc,
        categories.gate
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

-- Operations that open a gate, the principal one or any.
opened as (

    select
        case_operations.case_no,
        categories.mdc,
        categories.gate,
        bool_or(case_operations.seq = 1) as is_by_principal
    from {{ ref('int_drg_case_operations') }} as case_operations
    inner join {{ ref('stg_grouper__drg_category_operations') }} as category_operations
        on case_operations.scheme_id = category_operations.scheme_id
        and case_operations.op_code = category_operations.op_code
    inner join categories
        on category_operations.scheme_id = categories.scheme_id
        and category_operations.mdc = categories.mdc
    group by
        case_operations.case_no,
        categories.mdc,
        categories.gate

),

reached as (

    select
        cases.*,
        category_diagnoses.mdc
    from cases
    inner join category_diagnoses
        on cases.scheme_id = category_diagnoses.scheme_id
        and cases.principal_dx_code = category_diagnoses.dx_code
    where category_diagnoses.gate in ('DX1', 'DX1_OR_OP1', 'DX1_OR_OPANY')

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

    -- Where either opens, the diagnosis has opened above.
    select
        cases.*,
        opened.mdc
    from cases
    inner join opened
        on cases.case_no = opened.case_no
    left join category_diagnoses
        on cases.scheme_id = category_diagnoses.scheme_id
        and cases.principal_dx_code = category_diagnoses.dx_code
        and opened.mdc = category_diagnoses.mdc
    where
        case opened.gate
            when 'OP1' then opened.is_by_principal
            when 'OPANY' then true
            when 'DX1_OP1' then opened.is_by_principal and category_diagnoses.mdc is not null
            when 'DX1_OPANY' then category_diagnoses.mdc is not null
            when 'DX1_OR_OP1' then opened.is_by_principal and category_diagnoses.mdc is null
            when 'DX1_OR_OPANY' then category_diagnoses.mdc is null
        end

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
    reached.age_years,
    reached.age_days,
    reached.weight_g,
    reached.stay_days,
    reached.has_valid_operation,
    reached.is_principal_operation_valid
from reached
inner join categories
    on reached.scheme_id = categories.scheme_id
    and reached.mdc = categories.mdc
where
    reached.gender = coalesce(categories.sex, reached.gender)
    and (not categories.infant_only or reached.age_years = 0)
