-- Why each case is in its group: the way there step by step as data and in words, and what it just missed.
{{ config(materialized='work_table', tags=['drg_grouping'], statistics_of=['case_no']) }}
with case_groups as (

    select * from {{ ref('int_drg_case_groups') }}

),

cases as (

    select * from {{ ref('int_drg_cases') }}

),

rules as (

    select * from {{ ref('int_drg_rules') }}

),

check_failures as (

    select * from {{ ref('drg_check_failures') }}

),

categories_tried as (

    select
        case_no,
        array_agg(mdc order by eval_order) as mdcs
    from {{ ref('int_drg_case_categories') }}
    group by case_no

),

-- The rule that would have come first had one thing been otherwise, nearest to the one that matched.
nearly_matched as (

    select distinct on (case_rules.case_no)
        case_rules.case_no,
        rules.rule_id,
        case
            when not case_rules.meets_operations then 'operation'
            when not case_rules.meets_diagnoses then 'diagnosis'
            else 'age or weight'
        end as unmet
    from {{ ref('int_drg_case_rules') }} as case_rules
    inner join case_groups
        on case_rules.case_no = case_groups.case_no
        and case_rules.rule_no < coalesce(case_groups.rule_no, case_rules.rule_no + 1)
    inner join rules
        on case_rules.rule_no = rules.rule_no
    where
        case_rules.meets_diagnoses::integer
        + case_rules.meets_operations::integer
        + case_rules.meets_age_and_weight::integer = 2
    order by
        case_rules.case_no asc,
        case_rules.rule_no desc

),

comorbidities as (

    select
        case_no,
        string_agg(
            dx_code || ' ' || level
            || case when is_excluded then ' 被排除表 ' || exclusion_table_id || ' 排除' else ' 计入' end,
            '；' order by seq
        ) as text_zh,
        string_agg(
            dx_code || ' ' || level
            || case when is_excluded then ' excluded by table ' || exclusion_table_id else ' counts' end,
            '; ' order by seq
        ) as text_en,
        jsonb_agg(
            jsonb_build_object(
                'dx_code', dx_code,
                'level', level,
                'exclusion_table_id', exclusion_table_id,
                'is_excluded', is_excluded
            ) order by seq
        ) as data
    from {{ ref('int_drg_case_comorbidities') }}
    group by case_no

),

-- For each group that of the same rule one step more severe, and the severity that leads there.
more_severe as (

    select
        scheme_id,
        rule_id,
        drg_code as group_code,
        lag(drg_code) over (partition by scheme_id, rule_id order by drg_order) as drg_code,
        lag(severity_rule) over (partition by scheme_id, rule_id order by drg_order) as severity_rule
    from {{ ref('stg_grouper__drg_groups') }}

)

select
    case_groups.case_no,
    jsonb_strip_nulls(
        jsonb_build_object(
            'principal_diagnosis', cases.principal_dx_code,
            'principal_operation', cases.principal_op_code,
            'check_failure', case_groups.check_failure,
            'categories_tried', to_jsonb(categories_tried.mdcs),
            'category', case_groups.mdc,
            'rule', case_groups.rule_id,
            'match_rule', rules.match_rule,
            'comorbidities', comorbidities.data,
            'severity', case_groups.severity,
            'group', case_groups.group_code,
            'nearly_matched', jsonb_build_object('rule', nearly_matched.rule_id, 'unmet', nearly_matched.unmet),
            'more_severe', jsonb_build_object('group', more_severe.drg_code, 'needs', more_severe.severity_rule)
        )
    ) as explanation,
    concat_ws(
        '；',
        '主诊断 ' || coalesce(cases.principal_dx_code, '缺失'),
        '主手术 ' || cases.principal_op_code,
        check_failures.text_zh,
        '依次判定 ' || array_to_string(categories_tried.mdcs, ' → '),
        case
            when case_groups.rule_id is not null
                then '符合 ' || case_groups.mdc || ' 的规则 ' || case_groups.rule_id || '（' || rules.match_rule || '）'
            when categories_tried.mdcs is not null then '各大类均无规则符合'
            when case_groups.check_failure is null then '主诊断不在任何可进入的大类主诊表内，或与性别、年龄不符'
        end,
        comorbidities.text_zh,
        '入组 ' || case_groups.group_code || coalesce(' ' || case_groups.group_name, ''),
        '差一步的规则 ' || nearly_matched.rule_id || case nearly_matched.unmet
            when 'operation' then '（手术操作不符）' when 'diagnosis' then '（诊断不符）' else '（年龄或体重不符）'
        end,
        '若有未被排除的 ' || replace(more_severe.severity_rule, '_OR_', ' 或 ') || ' 则入 ' || more_severe.drg_code
    ) as explanation_zh,
    concat_ws(
        '; ',
        'principal diagnosis ' || coalesce(cases.principal_dx_code, 'missing'),
        'principal operation ' || cases.principal_op_code,
        check_failures.text_en,
        'tried ' || array_to_string(categories_tried.mdcs, ' → '),
        case
            when case_groups.rule_id is not null
                then 'meets rule ' || case_groups.rule_id || ' (' || rules.match_rule || ') of ' || case_groups.mdc
            when categories_tried.mdcs is not null then 'meets no rule of them'
            when case_groups.check_failure is null
                then 'the principal diagnosis leads into no category, or contradicts sex or age'
        end,
        comorbidities.text_en,
        'group ' || case_groups.group_code,
        'nearly met rule ' || nearly_matched.rule_id || ' (' || nearly_matched.unmet || ' does not fit)',
        'with a ' || replace(more_severe.severity_rule, '_OR_', ' or ') || ' that counts it would be '
        || more_severe.drg_code
    ) as explanation_en
from case_groups
inner join cases
    on case_groups.case_no = cases.case_no
left join check_failures
    on case_groups.check_failure = check_failures.check_failure
left join categories_tried
    on case_groups.case_no = categories_tried.case_no
left join rules
    on case_groups.rule_no = rules.rule_no
left join comorbidities
    on case_groups.case_no = comorbidities.case_no
left join nearly_matched
    on case_groups.case_no = nearly_matched.case_no
left join more_severe
    on case_groups.scheme_id = more_severe.scheme_id
    and case_groups.rule_id = more_severe.rule_id
    and case_groups.group_code = more_severe.group_code
