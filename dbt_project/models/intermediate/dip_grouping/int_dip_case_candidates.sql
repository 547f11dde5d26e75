-- The groups that come into question for each case, and how each stands in the order of selection.
-- (90-drg-dip.md §3.2; order: earlier stages first, then by what the main operation is, mixed after core and basic,
-- without operation last)
{{ config(materialized='work_table', tags=['dip_grouping']) }}
with cases as (

    select * from {{ ref('int_dip_cases') }}
    where check_failure is null

),

catalogue as (

    select * from {{ ref('stg_grouper__dip_groups') }}

),

group_operations as (

    select * from {{ ref('stg_grouper__dip_group_operations') }}

),

alternatives as (

    select
        scheme_id,
        group_id,
        alternative,
        max(term) as related_term_count
    from group_operations
    group by
        scheme_id,
        group_id,
        alternative

),

-- A diagnosis stands for itself, its subcategory and its category.
diagnosis_keys as (

    select distinct
        cases.case_no,
        cases.scheme_id,
        case when given.seq = 1 then 'main' else 'secondary' end as role,
        keys.dx_key
    from cases
    cross join unnest(cases.dx_codes) with ordinality as given (dx_code, seq)
    cross join lateral (values (given.dx_code), (left(given.dx_code, 5)), (left(given.dx_code, 3))) as keys (dx_key)

),

fitting_diagnoses as (

    select distinct
        diagnosis_keys.case_no,
        diagnosis_keys.role,
        group_diagnoses.scheme_id,
        group_diagnoses.group_id
    from diagnosis_keys
    inner join {{ ref('stg_grouper__dip_group_diagnoses') }} as group_diagnoses
        on diagnosis_keys.scheme_id = group_diagnoses.scheme_id
        and diagnosis_keys.role = group_diagnoses.role
        and diagnosis_keys.dx_key = group_diagnoses.dx_key

),

-- Groups of any diagnosis stand for all cases; a group that names secondary ones needs one of them.
of_diagnoses as (

    select
        fitting_diagnoses.case_no,
        fitting_diagnoses.scheme_id,
        fitting_diagnoses.group_id
    from fitting_diagnoses
    inner join catalogue
        on fitting_diagnoses.scheme_id = catalogue.scheme_id
        and fitting_diagnoses.group_id = catalogue.group_id
    left join fitting_diagnoses as fitting_secondary
        on fitting_diagnoses.case_no = fitting_secondary.case_no
        and fitting_diagnoses.group_id = fitting_secondary.group_id
        and fitting_secondary.role = 'secondary'
    where
        fitting_diagnoses.role = 'main'
        and (not catalogue.needs_secondary_diagnosis or fitting_secondary.case_no is not null)

    union all

    select
        cases.case_no,
        catalogue.scheme_id,
        catalogue.group_id
    from cases
    inner join catalogue
        on cases.scheme_id = catalogue.scheme_id
        and catalogue.dx = '*'

),

case_operations as (

    select * from {{ ref('int_dip_case_operations') }}

),

main_operations as (

    select * from case_operations
    where may_be_main

),

-- An alternative is met when its main operation is one of the case and every related term has one among the others.
by_operation as (

    select
        of_diagnoses.case_no,
        of_diagnoses.scheme_id,
        of_diagnoses.group_id,
        main_operations.op_code,
        main_operations.property,
        alternatives.related_term_count
    from of_diagnoses
    inner join main_operations
        on of_diagnoses.case_no = main_operations.case_no
    inner join group_operations
        on of_diagnoses.scheme_id = group_operations.scheme_id
        and of_diagnoses.group_id = group_operations.group_id
        and main_operations.op_code = group_operations.op_code
        and group_operations.term = 0
    inner join alternatives
        on group_operations.scheme_id = alternatives.scheme_id
        and group_operations.group_id = alternatives.group_id
        and group_operations.alternative = alternatives.alternative
    left join group_operations as related
        on group_operations.scheme_id = related.scheme_id
        and group_operations.group_id = related.group_id
        and group_operations.alternative = related.alternative
        and related.term > 0
    left join case_operations as others
        on of_diagnoses.case_no = others.case_no
        and related.op_code = others.op_code
        and others.seq <> main_operations.seq
    group by
        of_diagnoses.case_no,
        of_diagnoses.scheme_id,
        of_diagnoses.group_id,
        main_operations.op_code,
        main_operations.property,
        alternatives.alternative,
        alternatives.related_term_count
    having count(distinct related.term) filter (where others.case_no is not null) = alternatives.related_term_count

),

by_property as (

    select
        of_diagnoses.case_no,
        of_diagnoses.scheme_id,
        of_diagnoses.group_id,
        main_operations.op_code,
        main_operations.property,
        0 as related_term_count
    from of_diagnoses
    inner join catalogue
        on of_diagnoses.scheme_id = catalogue.scheme_id
        and of_diagnoses.group_id = catalogue.group_id
        and catalogue.stage = 'MIXED'
    inner join main_operations
        on of_diagnoses.case_no = main_operations.case_no
        and catalogue.main_op_or_property = coalesce(main_operations.property, 'MEDICAL')

),

-- Without an operation that counts; where any operation may be the main one, such a group is the last resort.
without_operation as (

    select
        of_diagnoses.case_no,
        of_diagnoses.scheme_id,
        of_diagnoses.group_id,
        null::text as op_code,
        null::text as property,
        0 as related_term_count
    from of_diagnoses
    inner join catalogue
        on of_diagnoses.scheme_id = catalogue.scheme_id
        and of_diagnoses.group_id = catalogue.group_id
    inner join cases
        on of_diagnoses.case_no = cases.case_no
    where
        case catalogue.stage
            when 'MIXED' then catalogue.main_op_or_property = 'MEDICAL'
            when 'PRE_BIRTH' then
                cases.age_days < 29
                and cases.weight_g >= catalogue.weight_min
                and cases.weight_g <= coalesce(catalogue.weight_max, cases.weight_g)
            else catalogue.main_op_or_property is null
        end
        and (
            catalogue.stage in ('PRE_BIRTH', 'MERGE', 'AUXILIARY')
            or cases.op_match_scope = 'ANY'
            or not exists (select 1 from main_operations where main_operations.case_no = cases.case_no)
        )

),

candidates as (

    select * from by_operation
    union all
    select * from by_property
    union all
    select * from without_operation

)

select
    candidates.case_no,
    candidates.group_id,
    catalogue.stage,
    catalogue.group_type,
    catalogue.score,
    candidates.op_code as main_op_code,
    candidates.property,
    candidates.related_term_count::integer as related_term_count,
    case catalogue.stage when 'PRE' then 1 when 'PRE_BIRTH' then 1 when 'MERGE' then 2 when 'AUXILIARY' then 3 else 4 end
        as stage_rank,
    case
        when candidates.op_code is null then 4
        when catalogue.stage = 'MIXED' then 3
        else 2
    end as kind_rank,
    case candidates.property when 'SURGERY' then 1 when 'THERAPEUTIC' then 2 when 'DIAGNOSTIC' then 3 else 4 end
        as property_rank,
    case catalogue.group_type when 'CORE' then 1 when 'BASIC' then 2 else 3 end as type_rank
from candidates
inner join catalogue
    on candidates.scheme_id = catalogue.scheme_id
    and candidates.group_id = catalogue.group_id
