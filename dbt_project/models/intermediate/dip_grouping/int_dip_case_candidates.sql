-- The groups that come into question for each case, and how each stands in the order of selection.
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

groups_of_diagnoses as (

    select * from {{ ref('int_dip_diagnosis_groups') }}

),

-- Groups that ask for no operation.
without_operation_groups as (

    select
        groups_of_diagnoses.dx_code,
        catalogue.scheme_id,
        catalogue.group_id,
        catalogue.stage,
        catalogue.weight_min,
        catalogue.weight_max
    from groups_of_diagnoses
    inner join catalogue
        on groups_of_diagnoses.scheme_id = catalogue.scheme_id
        and groups_of_diagnoses.group_id = catalogue.group_id
    where
        case catalogue.stage
            when 'MIXED' then catalogue.main_op_or_property = 'MEDICAL'
            when 'PRE_BIRTH' then true
            else catalogue.main_op_or_property is null
        end

),

operated as (

    select distinct case_no from {{ ref('int_dip_case_operations') }}
    where may_be_main

),

-- Where any operation may be the main one, a group without operation is the last resort.
without_operation as (

    select
        cases.case_no,
        cases.scheme_id,
        without_operation_groups.group_id,
        null::text as op_code,
        null::text as property,
        0 as related_term_count
    from cases
    left join operated
        on cases.case_no = operated.case_no
    inner join without_operation_groups
        on cases.scheme_id = without_operation_groups.scheme_id
        and cases.principal_dx_code = without_operation_groups.dx_code
    where
        (
            without_operation_groups.stage <> 'PRE_BIRTH'
            or (
                cases.age_days < 29
                and cases.weight_g >= without_operation_groups.weight_min
                and cases.weight_g <= coalesce(without_operation_groups.weight_max, cases.weight_g)
            )
        )
        and (
            without_operation_groups.stage in ('PRE_BIRTH', 'MERGE', 'AUXILIARY')
            or cases.op_match_scope = 'ANY'
            or operated.case_no is null
        )

),

found as (

    select * from {{ ref('int_dip_operation_candidates') }}
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
