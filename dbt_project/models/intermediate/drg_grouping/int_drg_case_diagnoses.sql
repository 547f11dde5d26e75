-- The diagnoses of each case that a category or a rule looks for anywhere in the list; seq 1 is the principal one. What
-- is looked for in the first place only is found from the case itself, and comorbidities have a model of their own.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_cases__to_group') }}

),

categories as (

    select * from {{ ref('stg_grouper__drg_categories') }}

),

rules as (

    select * from {{ ref('int_drg_rules') }}

),

case_diagnoses as (

    select
        case_no,
        scheme_id,
        generate_subscripts(dx_codes, 1) as seq,
        unnest(dx_codes) as dx_code
    from cases

),

looked_for as (

    select
        diagnoses.scheme_id,
        diagnoses.dx_code
    from {{ ref('stg_grouper__drg_category_diagnoses') }} as diagnoses
    inner join categories
        on diagnoses.scheme_id = categories.scheme_id
        and diagnoses.mdc = categories.mdc
    where categories.gate in ('DXANY', 'DX1_MULTISITE', 'DXANY_MULTISITE')

    union distinct

    select
        diagnoses.scheme_id,
        diagnoses.dx_code
    from {{ ref('stg_grouper__drg_rule_diagnoses') }} as diagnoses
    inner join rules
        on diagnoses.scheme_id = rules.scheme_id
        and diagnoses.rule_id = rules.rule_id
    where rules.any_diagnosis or rules.secondary_diagnosis

)

select
    case_diagnoses.case_no,
    case_diagnoses.scheme_id,
    case_diagnoses.seq,
    case_diagnoses.dx_code
from case_diagnoses
inner join looked_for
    on case_diagnoses.scheme_id = looked_for.scheme_id
    and case_diagnoses.dx_code = looked_for.dx_code
