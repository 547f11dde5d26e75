-- The group of every case: its first category and rule that match, and the first group of the rule whose severity fits.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}

),

matched as (

    select distinct on (case_no)
        case_no,
        scheme_id,
        mdc,
        rule_id,
        is_unrelated_operation
    from {{ ref('int_drg_case_rules') }}
    where meets_diagnoses and meets_operations and meets_age_and_weight
    order by
        case_no asc,
        eval_order asc,
        rule_order asc

),

severities as (

    select
        case_no,
        bool_or(level = 'MCC') as has_mcc,
        bool_or(level = 'CC') as has_cc
    from {{ ref('int_drg_case_comorbidities') }}
    where not is_excluded
    group by case_no

),

drg_groups as (

    select * from {{ ref('stg_grouper__drg_groups') }}

),

fitting as (

    select distinct on (matched.case_no)
        matched.case_no,
        drg_groups.drg_code,
        drg_groups.name
    from matched
    inner join cases
        on matched.case_no = cases.case_no
    inner join drg_groups
        on matched.scheme_id = drg_groups.scheme_id
        and matched.rule_id = drg_groups.rule_id
    left join severities
        on matched.case_no = severities.case_no
    where
        case drg_groups.severity_rule
            when 'ALWAYS' then true
            when 'MCC' then severities.has_mcc
            when 'CC' then severities.has_cc
            when 'MCC_OR_CC' then severities.has_mcc or severities.has_cc
            when 'NONE' then not coalesce(severities.has_mcc or severities.has_cc, false)
            when 'DEATH' then cases.discharge_way = '5'
        end
    order by
        matched.case_no asc,
        drg_groups.drg_order asc

)

select
    cases.case_no,
    cases.case_id,
    cases.scheme_id,
    coalesce(matched.mdc, '0000') as mdc,
    coalesce(left(matched.rule_id, 3), '00') as adrg,
    matched.rule_id,
    -- A rule without a group that fits gives its own id.
    coalesce(fitting.drg_code, matched.rule_id, '0000') as group_code,
    fitting.name as group_name,
    case
        when severities.has_mcc then 'MCC'
        when severities.has_cc then 'CC'
        else 'NONE'
    end as severity,
    cases.check_failure,
    case
        when cases.check_failure is not null then 'CHECK_FAILED'
        when matched.rule_id is null then '无法入组'
        when matched.is_unrelated_operation then '歧义病案'
        else '分组成功'
    end as status
from cases
left join matched
    on cases.case_no = matched.case_no
left join severities
    on cases.case_no = severities.case_no
left join fitting
    on cases.case_no = fitting.case_no
