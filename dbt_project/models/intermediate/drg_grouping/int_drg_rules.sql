-- The rules of every scheme with what each asks of a case, numbered in the order they are tried: by category, and
-- within it by rule. Numbers run on through all schemes, so that a number alone names a rule. The pseudo-rule of an operation unrelated to the principal diagnosis (歧义组) stands before the
-- first medical rule of its category. (90-drg-dip.md §2.2 step 3)
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with rules as (

    select * from {{ ref('stg_grouper__drg_rules') }}

),

match_rules as (

    select * from {{ ref('drg_match_rules') }}

),

categories as (

    select * from {{ ref('stg_grouper__drg_categories') }}

),

first_medical_rules as (

    select
        scheme_id,
        mdc,
        min(adrg_order) as adrg_order
    from rules
    where substr(rule_id, 2, 1) > 'Q'
    group by
        scheme_id,
        mdc

),

all_rules as (

    select
        scheme_id,
        mdc,
        adrg_order::numeric as rule_order,
        rule_id,
        match_rule,
        age_days_max,
        weight_min,
        weight_max_excl,
        false as is_unrelated_operation
    from rules

    union all

    select
        categories.scheme_id,
        categories.mdc,
        first_medical_rules.adrg_order - 0.5,
        right(categories.mdc, 1) || 'QY',
        case categories.qy_mode when 'PRINCIPAL_OP' then 'VALID_OP1' else 'ANY_VALID_OP' end,
        null,
        null,
        null,
        true
    from categories
    inner join first_medical_rules
        on categories.scheme_id = first_medical_rules.scheme_id
        and categories.mdc = first_medical_rules.mdc
    where categories.qy_mode <> 'OFF'

)

select
    all_rules.scheme_id,
    all_rules.mdc,
    all_rules.rule_id,
    row_number() over (
        order by
            all_rules.scheme_id,
            categories.eval_order,
            all_rules.mdc,
            all_rules.rule_order,
            all_rules.rule_id
    )::integer as rule_no,
    all_rules.match_rule,
    all_rules.age_days_max,
    all_rules.weight_min,
    all_rules.weight_max_excl,
    all_rules.is_unrelated_operation,
    match_rules.principal_diagnosis,
    match_rules.any_diagnosis,
    match_rules.secondary_diagnosis,
    match_rules.principal_operation,
    match_rules.operation_slots,
    match_rules.or_operation_slots,
    match_rules.first_slot_only,
    match_rules.valid_operation,
    match_rules.principal_diagnosis
    or match_rules.any_diagnosis
    or match_rules.secondary_diagnosis
    or match_rules.principal_operation
    or match_rules.operation_slots is not null as reads_lists
from all_rules
inner join categories
    on all_rules.scheme_id = categories.scheme_id
    and all_rules.mdc = categories.mdc
inner join match_rules
    on all_rules.match_rule = match_rules.match_rule
