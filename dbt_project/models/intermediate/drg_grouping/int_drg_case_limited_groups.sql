-- The group of a case for every severity it could have, where its rule has groups that ask for more: for an age, a stay,
-- or codes of lists of their own. The first group whose severity, limits and lists fit counts.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with drg_groups as (

    select * from {{ ref('stg_grouper__drg_groups') }}

),

match_rules as (

    select * from {{ ref('drg_match_rules') }}

),

limited_rules as (

    select distinct
        scheme_id,
        rule_id
    from drg_groups
    where is_limited

),

cases as (

    select
        cases.case_no,
        rules.scheme_id,
        rules.rule_id,
        cases.age_years,
        cases.stay_days,
        coalesce(cases.discharge_way = '5', false) as is_death,
        cases.dx_codes,
        cases.op_codes,
        cases.has_valid_operation,
        coalesce(matches.further_op_code, cases.principal_op_code) as principal_op_code,
        coalesce(matches.is_further_operation_valid, cases.is_principal_operation_valid) as is_principal_operation_valid
    from {{ ref('int_drg_case_matches') }} as matches
    inner join {{ ref('int_drg_rules') }} as rules
        on matches.rule_no = rules.rule_no
    inner join limited_rules
        on rules.scheme_id = limited_rules.scheme_id
        and rules.rule_id = limited_rules.rule_id
    inner join {{ ref('int_drg_cases') }} as cases
        on matches.case_no = cases.case_no

),

case_diagnoses as (

    select
        case_no,
        scheme_id,
        rule_id,
        generate_subscripts(dx_codes, 1) as seq,
        unnest(dx_codes) as dx_code
    from cases

),

case_operations as (

    select
        case_no,
        scheme_id,
        rule_id,
        principal_op_code,
        unnest(op_codes) as op_code
    from cases

),

diagnoses_found as (

    select
        case_diagnoses.case_no,
        lists.drg_code,
        bool_or(lists.slot = 1 and case_diagnoses.seq = 1) as has_principal_diagnosis,
        bool_or(lists.slot = 1) as has_any_diagnosis,
        bool_or(lists.slot = 2 and case_diagnoses.seq > 1) as has_secondary_diagnosis
    from case_diagnoses
    inner join {{ ref('stg_grouper__drg_group_diagnoses') }} as lists
        on case_diagnoses.scheme_id = lists.scheme_id
        and case_diagnoses.rule_id = lists.rule_id
        and case_diagnoses.dx_code = lists.dx_code
    group by
        case_diagnoses.case_no,
        lists.drg_code

),

-- A code in two slots of a combination counts for its first slot only.
slots as (

    select
        lists.scheme_id,
        lists.rule_id,
        lists.drg_code,
        lists.op_code,
        bool_or(lists.slot = 1) as is_in_first,
        case when match_rules.first_slot_only then 1 << (min(lists.slot) - 1) else bit_or(1 << (lists.slot - 1)) end
            as slot_bits
    from {{ ref('stg_grouper__drg_group_operations') }} as lists
    inner join drg_groups
        on lists.scheme_id = drg_groups.scheme_id
        and lists.rule_id = drg_groups.rule_id
        and lists.drg_code = drg_groups.drg_code
    inner join match_rules
        on drg_groups.match_rule = match_rules.match_rule
    group by
        lists.scheme_id,
        lists.rule_id,
        lists.drg_code,
        lists.op_code,
        match_rules.first_slot_only

),

operations_found as (

    select
        case_operations.case_no,
        slots.drg_code,
        bool_or(slots.is_in_first and case_operations.op_code = case_operations.principal_op_code)
            as has_principal_operation,
        bit_or(slots.slot_bits) as slot_bits
    from case_operations
    inner join slots
        on case_operations.scheme_id = slots.scheme_id
        and case_operations.rule_id = slots.rule_id
        and case_operations.op_code = slots.op_code
    group by
        case_operations.case_no,
        slots.drg_code

),

found as (

    select
        cases.case_no,
        cases.age_years,
        cases.stay_days,
        cases.is_death,
        cases.has_valid_operation,
        cases.is_principal_operation_valid,
        drg_groups.drg_order,
        drg_groups.drg_code,
        drg_groups.name,
        drg_groups.severity_rule,
        drg_groups.age_min,
        drg_groups.age_max_excl,
        drg_groups.los_min,
        drg_groups.los_max_excl,
        drg_groups.match_rule,
        coalesce(diagnoses_found.has_principal_diagnosis, false) as has_principal_diagnosis,
        coalesce(diagnoses_found.has_any_diagnosis, false) as has_any_diagnosis,
        coalesce(diagnoses_found.has_secondary_diagnosis, false) as has_secondary_diagnosis,
        coalesce(operations_found.has_principal_operation, false) as has_principal_operation,
        coalesce(operations_found.slot_bits, 0) as slot_bits
    from cases
    inner join drg_groups
        on cases.scheme_id = drg_groups.scheme_id
        and cases.rule_id = drg_groups.rule_id
    left join diagnoses_found
        on cases.case_no = diagnoses_found.case_no
        and drg_groups.drg_code = diagnoses_found.drg_code
    left join operations_found
        on cases.case_no = operations_found.case_no
        and drg_groups.drg_code = operations_found.drg_code

),

severities as (

    select
        mcc.has_mcc,
        cc.has_cc
    from (values (true), (false)) as mcc (has_mcc)
    cross join (values (true), (false)) as cc (has_cc)

)

select distinct on (found.case_no, severities.has_mcc, severities.has_cc)
    found.case_no,
    severities.has_mcc,
    severities.has_cc,
    found.drg_code,
    found.name
from found
cross join severities
left join match_rules
    on found.match_rule = match_rules.match_rule
where
    {{ takes_severity('found.severity_rule', 'severities.has_mcc', 'severities.has_cc', 'found.is_death') }}
    and {{ is_within_limits('found', 'found') }}
    and (
        found.match_rule is null
        or ({{ meets_diagnoses('match_rules', 'found') }} and {{ meets_operations('match_rules', 'found') }})
    )
order by
    found.case_no asc,
    severities.has_mcc asc,
    severities.has_cc asc,
    found.drg_order asc,
    found.drg_code asc
