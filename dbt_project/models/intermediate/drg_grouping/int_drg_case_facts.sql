-- Which lists of which rules the codes of a case stand in: candidates come from facts, not from all rules of a category.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}
    where check_failure is null

),

rules as (

    select * from {{ ref('int_drg_rules') }}

),

rule_diagnoses as (

    select * from {{ ref('stg_grouper__drg_rule_diagnoses') }}

),

rule_operations as (

    select * from {{ ref('stg_grouper__drg_rule_operations') }}

),

-- A code in two slots of a combination counts for its first slot only.
slots as (

    select
        rule_operations.scheme_id,
        rule_operations.rule_id,
        rule_operations.op_code,
        case
            when rules.first_slot_only then (1 << (min(rule_operations.slot) - 1))
            else bit_or(1 << (rule_operations.slot - 1))
        end as slot_bits
    from rule_operations
    inner join rules
        on rule_operations.scheme_id = rules.scheme_id
        and rule_operations.rule_id = rules.rule_id
    where rules.operation_slots is not null
    group by
        rule_operations.scheme_id,
        rule_operations.rule_id,
        rule_operations.op_code,
        rules.first_slot_only

),

facts as (

    select
        cases.case_no,
        rule_diagnoses.scheme_id,
        rule_diagnoses.rule_id,
        true as has_principal_diagnosis,
        false as has_any_diagnosis,
        false as has_secondary_diagnosis,
        false as has_principal_operation,
        0 as slot_bits
    from cases
    inner join rule_diagnoses
        on cases.scheme_id = rule_diagnoses.scheme_id
        and cases.principal_dx_code = rule_diagnoses.dx_code
    where rule_diagnoses.slot = 1

    union all

    select
        case_diagnoses.case_no,
        rule_diagnoses.scheme_id,
        rule_diagnoses.rule_id,
        false,
        rule_diagnoses.slot = 1,
        rule_diagnoses.slot = 2 and case_diagnoses.seq > 1,
        false,
        0
    from rules
    inner join rule_diagnoses
        on rules.scheme_id = rule_diagnoses.scheme_id
        and rules.rule_id = rule_diagnoses.rule_id
    inner join {{ ref('int_drg_case_diagnoses') }} as case_diagnoses
        on rule_diagnoses.scheme_id = case_diagnoses.scheme_id
        and rule_diagnoses.dx_code = case_diagnoses.dx_code
    where rules.any_diagnosis or rules.secondary_diagnosis

    union all

    select
        cases.case_no,
        rule_operations.scheme_id,
        rule_operations.rule_id,
        false,
        false,
        false,
        true,
        0
    from cases
    inner join rule_operations
        on cases.scheme_id = rule_operations.scheme_id
        and cases.principal_op_code = rule_operations.op_code
    inner join rules
        on rule_operations.scheme_id = rules.scheme_id
        and rule_operations.rule_id = rules.rule_id
        and rules.principal_operation
    where rule_operations.slot = 1

    union all

    select
        case_operations.case_no,
        slots.scheme_id,
        slots.rule_id,
        false,
        false,
        false,
        false,
        slots.slot_bits
    from slots
    inner join {{ ref('int_drg_case_operations') }} as case_operations
        on slots.scheme_id = case_operations.scheme_id
        and slots.op_code = case_operations.op_code

)

select
    case_no,
    scheme_id,
    rule_id,
    bool_or(has_principal_diagnosis) as has_principal_diagnosis,
    bool_or(has_any_diagnosis) as has_any_diagnosis,
    bool_or(has_secondary_diagnosis) as has_secondary_diagnosis,
    bool_or(has_principal_operation) as has_principal_operation,
    bit_or(slot_bits) as slot_bits
from facts
group by
    case_no,
    scheme_id,
    rule_id
