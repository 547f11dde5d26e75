-- The group of each rule for every severity that a case can have, of rules whose groups ask for nothing else.
-- (90-drg-dip.md §2.2 step 5: the first group whose severity fits)
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with drg_groups as (

    select * from {{ ref('stg_grouper__drg_groups') }}

),

limited_rules as (

    select
        scheme_id,
        rule_id
    from drg_groups
    where is_limited

),

severities as (

    select
        mcc.has_mcc,
        cc.has_cc,
        death.is_death
    from (values (true), (false)) as mcc (has_mcc)
    cross join (values (true), (false)) as cc (has_cc)
    cross join (values (true), (false)) as death (is_death)

)

select distinct on (
    drg_groups.scheme_id, drg_groups.rule_id, severities.has_mcc, severities.has_cc, severities.is_death
)
    drg_groups.scheme_id,
    drg_groups.rule_id,
    severities.has_mcc,
    severities.has_cc,
    severities.is_death,
    drg_groups.drg_code,
    drg_groups.name
from drg_groups
cross join severities
left join limited_rules
    on drg_groups.scheme_id = limited_rules.scheme_id
    and drg_groups.rule_id = limited_rules.rule_id
where
    limited_rules.rule_id is null
    and {{ takes_severity('drg_groups.severity_rule', 'severities.has_mcc', 'severities.has_cc', 'severities.is_death') }}
order by
    drg_groups.scheme_id asc,
    drg_groups.rule_id asc,
    severities.has_mcc asc,
    severities.has_cc asc,
    severities.is_death asc,
    drg_groups.drg_order asc,
    drg_groups.drg_code asc
