-- The rules that come into question for each case, in the order they are tried, and whether the case meets each.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with case_categories as (

    select * from {{ ref('int_drg_case_categories') }}

),

rules as (

    select * from {{ ref('int_drg_rules') }}

),

-- Rules with lists come into question when a code of the case stands in one of them; the others always do.
candidates as (

    select
        case_categories.case_no,
        case_categories.scheme_id,
        case_categories.eval_order,
        facts.rule_id,
        facts.has_principal_diagnosis,
        facts.has_any_diagnosis,
        facts.has_secondary_diagnosis,
        facts.has_principal_operation,
        facts.slot_bits
    from {{ ref('int_drg_case_facts') }} as facts
    inner join rules
        on facts.scheme_id = rules.scheme_id
        and facts.rule_id = rules.rule_id
    inner join case_categories
        on facts.case_no = case_categories.case_no
        and rules.mdc = case_categories.mdc

    union all

    select
        case_categories.case_no,
        case_categories.scheme_id,
        case_categories.eval_order,
        rules.rule_id,
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

)

select
    candidates.case_no,
    candidates.scheme_id,
    candidates.eval_order,
    rules.rule_order,
    rules.mdc,
    rules.rule_id,
    rules.is_unrelated_operation,
    (
        (not rules.principal_diagnosis or candidates.has_principal_diagnosis)
        and (not rules.any_diagnosis or candidates.has_any_diagnosis)
        and (not rules.secondary_diagnosis or candidates.has_secondary_diagnosis)
    ) as meets_diagnoses,
    (
        (not rules.principal_operation or candidates.has_principal_operation)
        and (
            rules.operation_slots is null
            or candidates.slot_bits & rules.operation_slots = rules.operation_slots
            or candidates.slot_bits & rules.or_operation_slots = rules.or_operation_slots
        )
        and case rules.valid_operation
            when 'PRINCIPAL' then coalesce(valid_operations.is_principal_valid, false)
            when 'NO_PRINCIPAL' then not coalesce(valid_operations.is_principal_valid, false)
            when 'ANY' then valid_operations.case_no is not null
            when 'NONE' then valid_operations.case_no is null
            else true
        end
    ) as meets_operations,
    (
        (rules.age_days_max is null or cases.age_days <= rules.age_days_max)
        and (rules.weight_min is null or cases.weight_g >= rules.weight_min)
        and (rules.weight_max_excl is null or (cases.weight_g > 0 and cases.weight_g < rules.weight_max_excl))
    ) is true as meets_age_and_weight
from candidates
inner join rules
    on candidates.scheme_id = rules.scheme_id
    and candidates.rule_id = rules.rule_id
inner join {{ ref('int_drg_cases') }} as cases
    on candidates.case_no = cases.case_no
left join {{ ref('int_drg_valid_operations_of_cases') }} as valid_operations
    on candidates.case_no = valid_operations.case_no
