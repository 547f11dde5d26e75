-- The group of every case: the first rule that it meets, and the first group of that rule that takes it.
{{ config(materialized='work_table', tags=['drg_grouping'], statistics_of=['case_no', 'scheme_id']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}

),

rules as (

    select * from {{ ref('int_drg_rules') }}

),

matches as (

    select * from {{ ref('int_drg_case_matches') }}

),

severities as (

    select * from {{ ref('int_drg_case_severities') }}

),

severity_groups as (

    select * from {{ ref('int_drg_severity_groups') }}

),

limited_groups as (

    select * from {{ ref('int_drg_case_limited_groups') }}

)

select
    cases.case_no,
    cases.case_id,
    cases.scheme_id,
    coalesce(rules.mdc, '0000') as mdc,
    coalesce(left(rules.rule_id, 3), '00') as adrg,
    rules.rule_no,
    rules.rule_id,
    -- A rule without a group that takes the case gives its own id.
    coalesce(severity_groups.drg_code, limited_groups.drg_code, rules.rule_id, '0000') as group_code,
    coalesce(severity_groups.name, limited_groups.name) as group_name,
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
left join matches
    on cases.case_no = matches.case_no
left join severities
    on cases.case_no = severities.case_no
left join rules
    on matches.rule_no = rules.rule_no
left join severity_groups
    on rules.scheme_id = severity_groups.scheme_id
    and rules.rule_id = severity_groups.rule_id
    and coalesce(severities.has_mcc, false) = severity_groups.has_mcc
    and coalesce(severities.has_cc, false) = severity_groups.has_cc
    and coalesce(cases.discharge_way = '5', false) = severity_groups.is_death
left join limited_groups
    on cases.case_no = limited_groups.case_no
    and coalesce(severities.has_mcc, false) = limited_groups.has_mcc
    and coalesce(severities.has_cc, false) = limited_groups.has_cc
