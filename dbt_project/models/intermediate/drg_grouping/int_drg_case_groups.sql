-- The group of every case: the first rule that matches, and the first group of that rule whose severity fits.
{{ config(materialized='work_table', tags=['drg_grouping'], statistics_of=['case_no', 'scheme_id']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}

),

rules as (

    select * from {{ ref('int_drg_rules') }}

),

-- Rules are numbered in the order they are tried.
matched as (

    select
        case_no,
        min(rule_no) as rule_no
    from {{ ref('int_drg_case_rules') }}
    where meets_diagnoses and meets_operations and meets_age_and_weight
    group by case_no

),

severities as (

    select * from {{ ref('int_drg_case_severities') }}

),

-- What the severity of a case can be, and the group of each rule that it leads to.
conditions as (

    select
        mcc.has_mcc,
        cc.has_cc,
        death.is_death
    from (values (true), (false)) as mcc (has_mcc)
    cross join (values (true), (false)) as cc (has_cc)
    cross join (values (true), (false)) as death (is_death)

),

fitting as (

    select distinct on (
        drg_groups.scheme_id, drg_groups.rule_id, conditions.has_mcc, conditions.has_cc, conditions.is_death
    )
        drg_groups.scheme_id,
        drg_groups.rule_id,
        conditions.has_mcc,
        conditions.has_cc,
        conditions.is_death,
        drg_groups.drg_code,
        drg_groups.name
    from {{ ref('stg_grouper__drg_groups') }} as drg_groups
    cross join conditions
    where
        case drg_groups.severity_rule
            when 'ALWAYS' then true
            when 'MCC' then conditions.has_mcc
            when 'CC' then conditions.has_cc
            when 'MCC_OR_CC' then conditions.has_mcc or conditions.has_cc
            when 'NONE' then not (conditions.has_mcc or conditions.has_cc)
            when 'DEATH' then conditions.is_death
        end
    order by
        drg_groups.scheme_id asc,
        drg_groups.rule_id asc,
        conditions.has_mcc asc,
        conditions.has_cc asc,
        conditions.is_death asc,
        drg_groups.drg_order asc

)

select
    cases.case_no,
    cases.case_id,
    cases.scheme_id,
    coalesce(rules.mdc, '0000') as mdc,
    coalesce(left(rules.rule_id, 3), '00') as adrg,
    rules.rule_no,
    rules.rule_id,
    -- A rule without a group that fits gives its own id.
    coalesce(fitting.drg_code, rules.rule_id, '0000') as group_code,
    fitting.name as group_name,
    case
        when severities.has_mcc then 'MCC'
        when severities.has_cc then 'CC'
        else 'NONE'
    end as severity,
    cases.check_failure,
    case
        when cases.check_failure is not null then 'CHECK_FAILED'
        when rules.rule_no is null then '无法入组'
        when rules.is_unrelated_operation then '歧义病案'
        else '分组成功'
    end as status
from cases
left join matched
    on cases.case_no = matched.case_no
left join severities
    on cases.case_no = severities.case_no
left join rules
    on matched.rule_no = rules.rule_no
left join fitting
    on rules.scheme_id = fitting.scheme_id
    and rules.rule_id = fitting.rule_id
    and coalesce(severities.has_mcc, false) = fitting.has_mcc
    and coalesce(severities.has_cc, false) = fitting.has_cc
    and coalesce(cases.discharge_way = '5', false) = fitting.is_death
