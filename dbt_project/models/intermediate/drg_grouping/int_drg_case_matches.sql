-- The rule of each case that any takes: the first that it meets, and what stands in the place of its principal operation
-- where that was a second try. Rules are numbered in the order they are tried.
{{ config(materialized='work_table', tags=['drg_grouping'], statistics_of=['case_no', 'rule_no']) }}
with second_tries as (

    select * from {{ ref('int_drg_case_second_tries') }}

),

met as (

    select
        case_no,
        rule_no
    from {{ ref('int_drg_case_rules') }}
    where meets_diagnoses and meets_operations and meets_limits

    union all

    select
        case_no,
        rule_no
    from second_tries

),

first_met as (

    select
        case_no,
        min(rule_no) as rule_no
    from met
    group by case_no

)

select
    first_met.case_no,
    first_met.rule_no,
    second_tries.op_code as further_op_code,
    second_tries.is_valid as is_further_operation_valid
from first_met
left join second_tries
    on first_met.case_no = second_tries.case_no
    and first_met.rule_no = second_tries.rule_no
