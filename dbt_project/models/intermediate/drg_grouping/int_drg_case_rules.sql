-- The rules that come into question for each case, and whether the case meets each. Candidates come from facts, which
-- are the lists that a code of the case stands in, and not from all rules of a category; only rules without lists
-- always come into question.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with case_categories as not materialized (

    select * from {{ ref('int_drg_case_categories') }}

),

rules as not materialized (

    select * from {{ ref('int_drg_rules') }}
    where not is_second_try

),

rule_diagnoses as not materialized (

    select
        rules.scheme_id,
        rules.mdc,
        rules.rule_no,
        rules.principal_diagnosis,
        rules.any_diagnosis,
        rules.secondary_diagnosis,
        diagnoses.slot,
        diagnoses.dx_code
    from rules
    inner join {{ ref('stg_grouper__drg_rule_diagnoses') }} as diagnoses
        on rules.scheme_id = diagnoses.scheme_id
        and rules.rule_id = diagnoses.rule_id

),

rule_operations as not materialized (

    select
        rules.scheme_id,
        rules.mdc,
        rules.rule_no,
        rules.principal_operation,
        rules.operation_slots,
        rules.first_slot_only,
        rules.has_second_try,
        operations.slot,
        operations.op_code
    from rules
    inner join {{ ref('stg_grouper__drg_rule_operations') }} as operations
        on rules.scheme_id = operations.scheme_id
        and rules.rule_id = operations.rule_id

),

-- A code in two slots of a combination counts for its first slot only.
slots as (

    select
        scheme_id,
        mdc,
        rule_no,
        op_code,
        case when first_slot_only then 1 << (min(slot) - 1) else bit_or(1 << (slot - 1)) end as slot_bits
    from rule_operations
    where operation_slots is not null
    group by
        scheme_id,
        mdc,
        rule_no,
        op_code,
        first_slot_only

),

facts as (

    select
        case_categories.case_no,
        case_categories.age_years,
        case_categories.age_days,
        case_categories.weight_g,
        case_categories.stay_days,
        case_categories.has_valid_operation,
        case_categories.is_principal_operation_valid,
        rule_diagnoses.rule_no,
        true as has_principal_diagnosis,
        false as has_any_diagnosis,
        false as has_secondary_diagnosis,
        false as has_principal_operation,
        0 as slot_bits
    from case_categories
    inner join rule_diagnoses
        on case_categories.scheme_id = rule_diagnoses.scheme_id
        and case_categories.mdc = rule_diagnoses.mdc
        and case_categories.principal_dx_code = rule_diagnoses.dx_code
    where rule_diagnoses.principal_diagnosis and rule_diagnoses.slot = 1

    union all

    select
        case_categories.case_no,
        case_categories.age_years,
        case_categories.age_days,
        case_categories.weight_g,
        case_categories.stay_days,
        case_categories.has_valid_operation,
        case_categories.is_principal_operation_valid,
        rule_diagnoses.rule_no,
        false,
        rule_diagnoses.any_diagnosis and rule_diagnoses.slot = 1,
        rule_diagnoses.secondary_diagnosis and rule_diagnoses.slot = 2 and case_diagnoses.seq > 1,
        false,
        0
    from {{ ref('int_drg_case_diagnoses') }} as case_diagnoses
    inner join rule_diagnoses
        on case_diagnoses.scheme_id = rule_diagnoses.scheme_id
        and case_diagnoses.dx_code = rule_diagnoses.dx_code
    inner join case_categories
        on case_diagnoses.case_no = case_categories.case_no
        and rule_diagnoses.mdc = case_categories.mdc
    where rule_diagnoses.any_diagnosis or rule_diagnoses.secondary_diagnosis

    union all

    select
        case_categories.case_no,
        case_categories.age_years,
        case_categories.age_days,
        case_categories.weight_g,
        case_categories.stay_days,
        case_categories.has_valid_operation,
        case_categories.is_principal_operation_valid,
        rule_operations.rule_no,
        false,
        false,
        false,
        true,
        0
    from case_categories
    inner join rule_operations
        on case_categories.scheme_id = rule_operations.scheme_id
        and case_categories.mdc = rule_operations.mdc
        and case_categories.principal_op_code = rule_operations.op_code
    where rule_operations.principal_operation and rule_operations.slot = 1

    union all

    -- A further operation of the list of the principal one: the rule comes into question for a second try.
    select
        case_categories.case_no,
        case_categories.age_years,
        case_categories.age_days,
        case_categories.weight_g,
        case_categories.stay_days,
        case_categories.has_valid_operation,
        case_categories.is_principal_operation_valid,
        rule_operations.rule_no,
        false,
        false,
        false,
        false,
        0
    from {{ ref('int_drg_case_operations') }} as case_operations
    inner join rule_operations
        on case_operations.scheme_id = rule_operations.scheme_id
        and case_operations.op_code = rule_operations.op_code
    inner join case_categories
        on case_operations.case_no = case_categories.case_no
        and rule_operations.mdc = case_categories.mdc
    where
        rule_operations.has_second_try
        and rule_operations.principal_operation
        and rule_operations.slot = 1
        and case_operations.seq > 1

    union all

    select
        case_categories.case_no,
        case_categories.age_years,
        case_categories.age_days,
        case_categories.weight_g,
        case_categories.stay_days,
        case_categories.has_valid_operation,
        case_categories.is_principal_operation_valid,
        slots.rule_no,
        false,
        false,
        false,
        false,
        slots.slot_bits
    from {{ ref('int_drg_case_operations') }} as case_operations
    inner join slots
        on case_operations.scheme_id = slots.scheme_id
        and case_operations.op_code = slots.op_code
    inner join case_categories
        on case_operations.case_no = case_categories.case_no
        and slots.mdc = case_categories.mdc

    union all

    select
        case_categories.case_no,
        case_categories.age_years,
        case_categories.age_days,
        case_categories.weight_g,
        case_categories.stay_days,
        case_categories.has_valid_operation,
        case_categories.is_principal_operation_valid,
        rules.rule_no,
        false,
        false,
        false,
        false,
        0
    from case_categories
    inner join rules
        on case_categories.scheme_id = rules.scheme_id
        and case_categories.mdc = rules.mdc
    where not rules.reads_lists

),

candidates as (

    select
        case_no,
        rule_no,
        bool_or(has_principal_diagnosis) as has_principal_diagnosis,
        bool_or(has_any_diagnosis) as has_any_diagnosis,
        bool_or(has_secondary_diagnosis) as has_secondary_diagnosis,
        bool_or(has_principal_operation) as has_principal_operation,
        bit_or(slot_bits) as slot_bits,
        bool_or(has_valid_operation) as has_valid_operation,
        bool_or(is_principal_operation_valid) as is_principal_operation_valid,
        min(age_years) as age_years,
        min(age_days) as age_days,
        min(weight_g) as weight_g,
        min(stay_days) as stay_days
    from facts
    group by
        case_no,
        rule_no

)

select
    candidates.case_no,
    candidates.rule_no,
    {{ meets_diagnoses('rules', 'candidates') }} as meets_diagnoses,
    {{ meets_operations('rules', 'candidates') }} as meets_operations,
    {{ meets_operation_lists('rules', 'candidates') }} as meets_operation_lists,
    (
        {{ is_within_limits('rules', 'candidates') }}
        and (rules.age_days_max is null or candidates.age_days <= rules.age_days_max)
        and (rules.weight_min is null or candidates.weight_g >= rules.weight_min)
        and (rules.weight_max_excl is null or (candidates.weight_g > 0 and candidates.weight_g < rules.weight_max_excl))
    ) is true as meets_limits
from candidates
inner join rules
    on candidates.rule_no = rules.rule_no
