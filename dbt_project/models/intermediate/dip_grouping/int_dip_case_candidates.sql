-- The groups that come into question for each case, and how each stands in the order of selection. What a diagnosis
-- leads to is found once for every code that occurs, and not for every case.
-- (90-drg-dip.md §3.2; order: earlier stages first, then by what the main operation is, mixed after core and basic,
-- without operation last)
{{ config(
    materialized='work_table',
    tags=['dip_grouping'],
    statistics_of=['case_no', 'group_id', 'precedence']
) }}
with cases as (

    select * from {{ ref('int_dip_cases') }}
    where check_failure is null

),

catalogue as (

    select
        scheme_id,
        group_id,
        stage,
        group_type,
        score,
        dx,
        main_op_or_property,
        needs_secondary_diagnosis,
        weight_min,
        weight_max,
        row_number() over (partition by scheme_id order by score desc nulls last, group_id) as score_rank
    from {{ ref('stg_grouper__dip_groups') }}

),

group_diagnoses as (

    select * from {{ ref('stg_grouper__dip_group_diagnoses') }}

),

group_operations as (

    select * from {{ ref('stg_grouper__dip_group_operations') }}

),

-- A diagnosis stands for itself, its subcategory and its category.
main_keys as (

    select distinct
        scheme_id,
        principal_dx_code as dx_code,
        unnest(array[principal_dx_code, left(principal_dx_code, 5), left(principal_dx_code, 3)]) as dx_key
    from cases

),

groups_of_diagnoses as (

    select
        main_keys.scheme_id,
        main_keys.dx_code,
        group_diagnoses.group_id
    from main_keys
    inner join group_diagnoses
        on main_keys.scheme_id = group_diagnoses.scheme_id
        and main_keys.dx_key = group_diagnoses.dx_key
        and group_diagnoses.role = 'main'
    group by
        main_keys.scheme_id,
        main_keys.dx_code,
        group_diagnoses.group_id

),

-- An alternative asks for its main operation and one of each related term.
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

main_operation_groups as (

    select
        alternatives.scheme_id,
        alternatives.group_id,
        alternatives.alternative,
        alternatives.related_term_count,
        group_operations.op_code
    from alternatives
    inner join group_operations
        on alternatives.scheme_id = group_operations.scheme_id
        and alternatives.group_id = group_operations.group_id
        and alternatives.alternative = group_operations.alternative
        and group_operations.term = 0

),

case_operations as (

    select * from {{ ref('int_dip_case_operations') }}

),

main_operations as (

    select * from case_operations
    where may_be_main

),

by_main_operation as (

    select
        main_operations.case_no,
        main_operations.scheme_id,
        main_operations.op_code,
        main_operations.property,
        main_operations.seq,
        of_diagnoses.group_id,
        of_diagnoses.alternative,
        of_diagnoses.related_term_count
    from main_operations
    inner join (
        select
            groups_of_diagnoses.dx_code,
            main_operation_groups.*
        from groups_of_diagnoses
        inner join main_operation_groups
            on groups_of_diagnoses.scheme_id = main_operation_groups.scheme_id
            and groups_of_diagnoses.group_id = main_operation_groups.group_id
    ) as of_diagnoses
        on main_operations.scheme_id = of_diagnoses.scheme_id
        and main_operations.principal_dx_code = of_diagnoses.dx_code
        and main_operations.op_code = of_diagnoses.op_code

    union all

    select
        main_operations.case_no,
        main_operations.scheme_id,
        main_operations.op_code,
        main_operations.property,
        main_operations.seq,
        of_any_diagnosis.group_id,
        of_any_diagnosis.alternative,
        of_any_diagnosis.related_term_count
    from main_operations
    inner join (
        select main_operation_groups.*
        from catalogue
        inner join main_operation_groups
            on catalogue.scheme_id = main_operation_groups.scheme_id
            and catalogue.group_id = main_operation_groups.group_id
        where catalogue.dx = '*'
    ) as of_any_diagnosis
        on main_operations.scheme_id = of_any_diagnosis.scheme_id
        and main_operations.op_code = of_any_diagnosis.op_code

),

-- Related terms of which one is among the other operations of the case.
related_terms as (

    select
        by_main_operation.case_no,
        by_main_operation.group_id,
        by_main_operation.alternative,
        by_main_operation.op_code,
        count(distinct related.term) as term_count
    from by_main_operation
    inner join group_operations as related
        on by_main_operation.scheme_id = related.scheme_id
        and by_main_operation.group_id = related.group_id
        and by_main_operation.alternative = related.alternative
        and related.term > 0
    inner join case_operations as others
        on by_main_operation.case_no = others.case_no
        and related.op_code = others.op_code
        and by_main_operation.seq <> others.seq
    where by_main_operation.related_term_count > 0
    group by
        by_main_operation.case_no,
        by_main_operation.group_id,
        by_main_operation.alternative,
        by_main_operation.op_code

),

by_operation as (

    select
        by_main_operation.case_no,
        by_main_operation.scheme_id,
        by_main_operation.group_id,
        by_main_operation.op_code,
        by_main_operation.property,
        by_main_operation.related_term_count
    from by_main_operation
    left join related_terms
        on by_main_operation.case_no = related_terms.case_no
        and by_main_operation.group_id = related_terms.group_id
        and by_main_operation.alternative = related_terms.alternative
        and by_main_operation.op_code = related_terms.op_code
    where by_main_operation.related_term_count = coalesce(related_terms.term_count, 0)

),

by_property as (

    select
        main_operations.case_no,
        main_operations.scheme_id,
        mixed.group_id,
        main_operations.op_code,
        main_operations.property,
        0 as related_term_count
    from main_operations
    inner join (
        select
            groups_of_diagnoses.scheme_id,
            groups_of_diagnoses.dx_code,
            groups_of_diagnoses.group_id,
            catalogue.main_op_or_property
        from groups_of_diagnoses
        inner join catalogue
            on groups_of_diagnoses.scheme_id = catalogue.scheme_id
            and groups_of_diagnoses.group_id = catalogue.group_id
        where catalogue.stage = 'MIXED'
    ) as mixed
        on main_operations.scheme_id = mixed.scheme_id
        and main_operations.principal_dx_code = mixed.dx_code
        and coalesce(main_operations.property, 'MEDICAL') = mixed.main_op_or_property

),

-- Groups that ask for no operation.
without_operation_groups as (

    select
        scheme_id,
        group_id,
        stage,
        dx,
        weight_min,
        weight_max
    from catalogue
    where
        case stage
            when 'MIXED' then main_op_or_property = 'MEDICAL'
            when 'PRE_BIRTH' then true
            else main_op_or_property is null
        end

),

without_operation_of_diagnoses as (

    select
        groups_of_diagnoses.dx_code,
        without_operation_groups.*
    from groups_of_diagnoses
    inner join without_operation_groups
        on groups_of_diagnoses.scheme_id = without_operation_groups.scheme_id
        and groups_of_diagnoses.group_id = without_operation_groups.group_id

    union all

    select
        main_keys.dx_key as dx_code,
        without_operation_groups.*
    from main_keys
    inner join without_operation_groups
        on main_keys.scheme_id = without_operation_groups.scheme_id
        and main_keys.dx_key = main_keys.dx_code
        and without_operation_groups.dx = '*'

),

operated as (

    select distinct case_no from main_operations

),

-- Where any operation may be the main one, a group without operation is the last resort.
without_operation as (

    select
        cases.case_no,
        cases.scheme_id,
        of_diagnoses.group_id,
        null::text as op_code,
        null::text as property,
        0 as related_term_count
    from cases
    left join operated
        on cases.case_no = operated.case_no
    inner join without_operation_of_diagnoses as of_diagnoses
        on cases.scheme_id = of_diagnoses.scheme_id
        and cases.principal_dx_code = of_diagnoses.dx_code
    where
        (
            of_diagnoses.stage <> 'PRE_BIRTH'
            or (
                cases.age_days < 29
                and cases.weight_g >= of_diagnoses.weight_min
                and cases.weight_g <= coalesce(of_diagnoses.weight_max, cases.weight_g)
            )
        )
        and (
            of_diagnoses.stage in ('PRE_BIRTH', 'MERGE', 'AUXILIARY')
            or cases.op_match_scope = 'ANY'
            or operated.case_no is null
        )

),

found as (

    select * from by_operation
    union all
    select * from by_property
    union all
    select * from without_operation

),

-- A group that names secondary diagnoses needs one of them.
needing_secondary as (

    select distinct
        found.case_no,
        found.scheme_id,
        found.group_id
    from found
    inner join catalogue
        on found.scheme_id = catalogue.scheme_id
        and found.group_id = catalogue.group_id
        and catalogue.needs_secondary_diagnosis

),

secondary_diagnoses as (

    select
        needing_secondary.case_no,
        needing_secondary.scheme_id,
        needing_secondary.group_id,
        unnest(cases.dx_codes[2:]) as dx_code
    from needing_secondary
    inner join cases
        on needing_secondary.case_no = cases.case_no

),

with_secondary as (

    select distinct
        secondary_diagnoses.case_no,
        secondary_diagnoses.group_id
    from secondary_diagnoses
    inner join group_diagnoses
        on secondary_diagnoses.scheme_id = group_diagnoses.scheme_id
        and secondary_diagnoses.group_id = group_diagnoses.group_id
        and group_diagnoses.role = 'secondary'
        and group_diagnoses.dx_key
        in (secondary_diagnoses.dx_code, left(secondary_diagnoses.dx_code, 5), left(secondary_diagnoses.dx_code, 3))

),

ranked as (

    select
        found.case_no,
        found.group_id,
        catalogue.stage,
        catalogue.score,
        catalogue.score_rank,
        found.op_code as main_op_code,
        found.related_term_count,
        case catalogue.stage
            when 'PRE' then 1
            when 'PRE_BIRTH' then 1
            when 'MERGE' then 2
            when 'AUXILIARY' then 3
            else 4
        end as stage_rank,
        case
            when found.op_code is null then 4
            when catalogue.stage = 'MIXED' then 3
            else 2
        end as kind_rank,
        case found.property when 'SURGERY' then 1 when 'THERAPEUTIC' then 2 when 'DIAGNOSTIC' then 3 else 4 end
            as property_rank,
        case catalogue.group_type when 'CORE' then 1 when 'BASIC' then 2 else 3 end as type_rank
    from found
    inner join catalogue
        on found.scheme_id = catalogue.scheme_id
        and found.group_id = catalogue.group_id
    left join with_secondary
        on found.case_no = with_secondary.case_no
        and found.group_id = with_secondary.group_id
    where not catalogue.needs_secondary_diagnosis or with_secondary.case_no is not null

)

-- Of several the one with the most related operations; of equals the highest score, then the group's id. One number
-- says it all: what decides first stands in front, and the smallest is selected.
select
    case_no,
    group_id,
    stage,
    score,
    main_op_code,
    related_term_count::integer as related_term_count,
    (stage_rank * 1000 + kind_rank * 100 + property_rank * 10 + type_rank) * 10000000000
    + (1000 - related_term_count) * 1000000
    + score_rank as precedence
from ranked
