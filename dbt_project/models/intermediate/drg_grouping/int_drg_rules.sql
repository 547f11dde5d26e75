-- The rules of every scheme with what each asks of a case, numbered in the order they are tried: by category, and
-- within it by rule. Numbers run on through all schemes, so that a number alone names a rule. The pseudo-rule of an
-- operation unrelated to the principal diagnosis (歧义组) stands before the first medical rule of its category.
-- (90-drg-dip.md §2.2 step 3) Where a category tries further operations, its rules that read the principal operation
-- stand there once more, before that one.
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

-- Where the medical rules of a category begin; where it has none, the place after all its rules.
medical_parts as (

    select
        scheme_id,
        mdc,
        bool_or(substr(rule_id, 2, 1) > 'Q') as has_medical_rules,
        coalesce(min(adrg_order) filter (where substr(rule_id, 2, 1) > 'Q'), max(adrg_order) + 1) as adrg_order
    from rules
    group by
        scheme_id,
        mdc

),

-- The operative rules that another operation in the place of the principal one may meet.
tried_again as (

    select
        rules.scheme_id,
        rules.rule_id,
        medical_parts.adrg_order as before_order
    from rules
    inner join categories
        on rules.scheme_id = categories.scheme_id
        and rules.mdc = categories.mdc
    inner join medical_parts
        on rules.scheme_id = medical_parts.scheme_id
        and rules.mdc = medical_parts.mdc
        and rules.adrg_order < medical_parts.adrg_order
    inner join match_rules
        on rules.match_rule = match_rules.match_rule
    where
        categories.op_retry
        and (match_rules.principal_operation or match_rules.valid_operation = 'PRINCIPAL')

),

all_rules as (

    select
        scheme_id,
        mdc,
        adrg_order::numeric as rule_order,
        rule_id,
        match_rule,
        age_days_max,
        age_min,
        age_max_excl,
        los_min,
        los_max_excl,
        weight_min,
        weight_max_excl,
        false as is_unrelated_operation,
        false as is_second_try
    from rules

    union all

    select
        rules.scheme_id,
        rules.mdc,
        tried_again.before_order - 0.75,
        rules.rule_id,
        rules.match_rule,
        rules.age_days_max,
        rules.age_min,
        rules.age_max_excl,
        rules.los_min,
        rules.los_max_excl,
        rules.weight_min,
        rules.weight_max_excl,
        false,
        true
    from rules
    inner join tried_again
        on rules.scheme_id = tried_again.scheme_id
        and rules.rule_id = tried_again.rule_id

    union all

    select
        categories.scheme_id,
        categories.mdc,
        medical_parts.adrg_order - 0.5,
        right(categories.mdc, 1) || 'QY',
        case categories.qy_mode when 'PRINCIPAL_OP' then 'VALID_OP1' else 'ANY_VALID_OP' end,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        true,
        false
    from categories
    inner join medical_parts
        on categories.scheme_id = medical_parts.scheme_id
        and categories.mdc = medical_parts.mdc
    where categories.qy_mode <> 'OFF' and medical_parts.has_medical_rules

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
    all_rules.age_min,
    all_rules.age_max_excl,
    all_rules.los_min,
    all_rules.los_max_excl,
    all_rules.weight_min,
    all_rules.weight_max_excl,
    all_rules.is_unrelated_operation,
    all_rules.is_second_try,
    tried_again.rule_id is not null and not all_rules.is_second_try as has_second_try,
    match_rules.principal_diagnosis,
    match_rules.any_diagnosis,
    match_rules.secondary_diagnosis,
    match_rules.principal_operation,
    match_rules.operation_slots,
    match_rules.or_operation_slots,
    match_rules.first_slot_only,
    match_rules.valid_operation,
    match_rules.text_zh,
    match_rules.text_en,
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
left join tried_again
    on all_rules.scheme_id = tried_again.scheme_id
    and all_rules.rule_id = tried_again.rule_id
