-- The groups that an operation of each case leads to: by the operation itself with all that is related to it, or by what
-- kind of operation it is. (90-drg-dip.md §3.2 steps 1 to 5)
{{ config(
    materialized='work_table',
    tags=['dip_grouping'],
    statistics_of=['case_no', 'group_id', 'scheme_id']
) }}
with catalogue as (

    select * from {{ ref('stg_grouper__dip_groups') }}

),

groups_of_diagnoses as (

    select * from {{ ref('int_dip_diagnosis_groups') }}

),

group_operations as (

    select * from {{ ref('stg_grouper__dip_group_operations') }}

),

case_operations as (

    select * from {{ ref('int_dip_case_operations') }}

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
        groups_of_diagnoses.dx_code,
        alternatives.scheme_id,
        alternatives.group_id,
        alternatives.alternative,
        alternatives.related_term_count,
        group_operations.op_code
    from groups_of_diagnoses
    inner join alternatives
        on groups_of_diagnoses.scheme_id = alternatives.scheme_id
        and groups_of_diagnoses.group_id = alternatives.group_id
    inner join group_operations
        on alternatives.scheme_id = group_operations.scheme_id
        and alternatives.group_id = group_operations.group_id
        and alternatives.alternative = group_operations.alternative
        and group_operations.term = 0

),

mixed_groups as (

    select
        groups_of_diagnoses.dx_code,
        catalogue.scheme_id,
        catalogue.group_id,
        catalogue.main_op_or_property
    from groups_of_diagnoses
    inner join catalogue
        on groups_of_diagnoses.scheme_id = catalogue.scheme_id
        and groups_of_diagnoses.group_id = catalogue.group_id
    where catalogue.stage = 'MIXED'

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
        main_operation_groups.group_id,
        main_operation_groups.alternative,
        main_operation_groups.related_term_count
    from main_operations
    inner join main_operation_groups
        on main_operations.scheme_id = main_operation_groups.scheme_id
        and main_operations.principal_dx_code = main_operation_groups.dx_code
        and main_operations.op_code = main_operation_groups.op_code

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
        mixed_groups.group_id,
        main_operations.op_code,
        main_operations.property,
        0 as related_term_count
    from main_operations
    inner join mixed_groups
        on main_operations.scheme_id = mixed_groups.scheme_id
        and main_operations.principal_dx_code = mixed_groups.dx_code
        and coalesce(main_operations.property, 'MEDICAL') = mixed_groups.main_op_or_property

)

select * from by_operation
union all
select * from by_property
