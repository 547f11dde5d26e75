-- The second try of a category: the first further operation of a case that in the place of the principal one meets an
-- operative rule of the category, and the first such rule. It counts where no rule that comes before it does.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with rules as not materialized (

    select * from {{ ref('int_drg_rules') }}

),

operations_of_rules as not materialized (

    select * from {{ ref('stg_grouper__drg_rule_operations') }}
    where slot = 1

)

select distinct on (case_rules.case_no, rules.mdc)
    case_rules.case_no,
    second_tries.rule_no,
    case_operations.seq,
    case_operations.op_code,
    case_operations.is_valid
from {{ ref('int_drg_case_rules') }} as case_rules
inner join rules
    on case_rules.rule_no = rules.rule_no
inner join rules as second_tries
    on rules.scheme_id = second_tries.scheme_id
    and rules.rule_id = second_tries.rule_id
inner join {{ ref('int_drg_case_operations') }} as case_operations
    on case_rules.case_no = case_operations.case_no
left join operations_of_rules
    on rules.scheme_id = operations_of_rules.scheme_id
    and rules.rule_id = operations_of_rules.rule_id
    and case_operations.op_code = operations_of_rules.op_code
where
    rules.has_second_try
    and second_tries.is_second_try
    and case_operations.seq > 1
    and case_rules.meets_diagnoses
    and case_rules.meets_operation_lists
    and case_rules.meets_limits
    and (not rules.principal_operation or operations_of_rules.op_code is not null)
    and (rules.valid_operation is null or case_operations.is_valid)
order by
    case_rules.case_no asc,
    rules.mdc asc,
    case_operations.seq asc,
    rules.rule_no asc
