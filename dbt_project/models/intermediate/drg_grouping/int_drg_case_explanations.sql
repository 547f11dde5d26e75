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
            else 'age, weight or stay'
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
        + case_rules.meets_limits::integer = 2
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

matches as (

    select * from {{ ref('int_drg_case_matches') }}

),

-- The groups of a rule for every severity, beside each other; where they ask for more than a severity, those of the case.
graded_rules as (

    select
        scheme_id,
        rule_id,
        is_death,
        min(drg_code) filter (where not has_mcc and not has_cc) as with_neither,
        min(drg_code) filter (where not has_mcc and has_cc) as with_cc,
        min(drg_code) filter (where has_mcc and not has_cc) as with_mcc,
        min(drg_code) filter (where has_mcc and has_cc) as with_both
    from {{ ref('int_drg_severity_groups') }}
    group by
        scheme_id,
        rule_id,
        is_death

),

graded_cases as (

    select
        case_no,
        min(drg_code) filter (where not has_mcc and not has_cc) as with_neither,
        min(drg_code) filter (where not has_mcc and has_cc) as with_cc,
        min(drg_code) filter (where has_mcc and not has_cc) as with_mcc,
        min(drg_code) filter (where has_mcc and has_cc) as with_both
    from {{ ref('int_drg_case_limited_groups') }}
    group by case_no

),

severities as (

    select * from {{ ref('int_drg_case_severities') }}

),

-- What a group asks for beside a severity.
limited_groups as (

    select
        groups.scheme_id,
        groups.rule_id,
        groups.drg_code,
        concat_ws(
            '，',
            '年龄 ' || nullif(concat_ws(' 且 ', '≥ ' || groups.age_min, '< ' || groups.age_max_excl), '') || ' 岁',
            '住院 ' || nullif(concat_ws(' 且 ', '≥ ' || groups.los_min, '< ' || groups.los_max_excl), '') || ' 天',
            '本组自有表：' || match_rules.text_zh
        ) as text_zh,
        concat_ws(
            ', ',
            'age ' || nullif(concat_ws(' and ', '≥ ' || groups.age_min, '< ' || groups.age_max_excl), '') || ' years',
            'stay ' || nullif(concat_ws(' and ', '≥ ' || groups.los_min, '< ' || groups.los_max_excl), '') || ' days',
            'of lists of its own: ' || match_rules.text_en
        ) as text_en
    from {{ ref('stg_grouper__drg_groups') }} as groups
    left join {{ ref('drg_match_rules') }} as match_rules
        on groups.match_rule = match_rules.match_rule
    where groups.is_limited

),

-- The group that the rule of a case would lead to, were its severity another one; a rule without one gives its own id.
otherwise as (

    select
        case_groups.case_no,
        case_groups.group_code,
        coalesce(severities.has_mcc, false) as has_mcc,
        coalesce(severities.has_cc, false) as has_cc,
        coalesce(graded_rules.with_neither, graded_cases.with_neither, case_groups.rule_id) as with_neither,
        coalesce(graded_rules.with_cc, graded_cases.with_cc, case_groups.rule_id) as with_cc,
        coalesce(graded_rules.with_mcc, graded_cases.with_mcc, case_groups.rule_id) as with_mcc,
        coalesce(graded_rules.with_both, graded_cases.with_both, case_groups.rule_id) as with_both
    from case_groups
    inner join cases
        on case_groups.case_no = cases.case_no
    left join severities
        on case_groups.case_no = severities.case_no
    left join graded_rules
        on case_groups.scheme_id = graded_rules.scheme_id
        and case_groups.rule_id = graded_rules.rule_id
        and coalesce(cases.discharge_way = '5', false) = graded_rules.is_death
    left join graded_cases
        on case_groups.case_no = graded_cases.case_no
    where case_groups.rule_id is not null

),

counterfactuals as (

    select
        case_no,
        nullif(case when has_cc then null when has_mcc then with_both else with_cc end, group_code) as plus_cc,
        nullif(case when has_mcc then null when has_cc then with_both else with_mcc end, group_code) as plus_mcc,
        nullif(case when has_mcc then case when has_cc then with_cc else with_neither end end, group_code) as minus_mcc,
        nullif(case when has_cc then case when has_mcc then with_mcc else with_neither end end, group_code) as minus_cc,
        nullif(case when has_mcc and has_cc then with_neither end, group_code) as minus_both
    from otherwise

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
            'match_rule_zh', rules.text_zh,
            'match_rule_en', rules.text_en,
            'further_operation', matches.further_op_code,
            'comorbidities', comorbidities.data,
            'severity', case_groups.severity,
            'group', case_groups.group_code,
            'group_limits_zh', limited_groups.text_zh,
            'group_limits_en', limited_groups.text_en,
            'nearly_matched', jsonb_build_object('rule', nearly_matched.rule_id, 'unmet', nearly_matched.unmet),
            'more_severe', jsonb_build_object(
                'group', coalesce(counterfactuals.plus_cc, counterfactuals.plus_mcc),
                'needs', case
                    when counterfactuals.plus_cc = counterfactuals.plus_mcc then 'MCC_OR_CC'
                    when counterfactuals.plus_cc is not null then 'CC'
                    when counterfactuals.plus_mcc is not null then 'MCC'
                end
            ),
            'counterfactuals', jsonb_build_object(
                'with_cc', counterfactuals.plus_cc,
                'with_mcc', counterfactuals.plus_mcc,
                'without_mcc', counterfactuals.minus_mcc,
                'without_cc', counterfactuals.minus_cc,
                'without_mcc_and_cc', counterfactuals.minus_both
            )
        )
    ) as explanation,
    concat_ws(
        '；',
        '主诊断 ' || coalesce(cases.principal_dx_code, '缺失'),
        '主手术 ' || cases.principal_op_code,
        check_failures.text_zh,
        '依次判定 ' || array_to_string(categories_tried.mdcs, ' → '),
        '主手术不符，以其他手术 ' || matches.further_op_code || ' 再试',
        case
            when case_groups.rule_id is not null
                then '符合 ' || case_groups.mdc || ' 的规则 ' || case_groups.rule_id || '（' || rules.match_rule || '：'
                || rules.text_zh || '）'
            when categories_tried.mdcs is not null then '各大类均无规则符合'
            when case_groups.check_failure is null then '主诊断不在任何可进入的大类主诊表内，或与性别、年龄不符'
        end,
        comorbidities.text_zh,
        '入组 ' || case_groups.group_code || coalesce(' ' || case_groups.group_name, '')
        || coalesce('（' || limited_groups.text_zh || '）', ''),
        '差一步的规则 ' || nearly_matched.rule_id || case nearly_matched.unmet
            when 'operation' then '（手术操作不符）' when 'diagnosis' then '（诊断不符）' else '（年龄、体重或住院天数不符）'
        end,
        case
            when counterfactuals.plus_cc = counterfactuals.plus_mcc
                then '若有未被排除的 MCC 或 CC 则入 ' || counterfactuals.plus_cc
            else concat_ws(
                '；',
                '若有未被排除的 CC 则入 ' || counterfactuals.plus_cc,
                '若有未被排除的 MCC 则入 ' || counterfactuals.plus_mcc
            )
        end,
        '若无所计 MCC 则入 ' || counterfactuals.minus_mcc,
        '若无所计 CC 则入 ' || counterfactuals.minus_cc,
        '若无所计 MCC 和 CC 则入 ' || counterfactuals.minus_both
    ) as explanation_zh,
    concat_ws(
        '; ',
        'principal diagnosis ' || coalesce(cases.principal_dx_code, 'missing'),
        'principal operation ' || cases.principal_op_code,
        check_failures.text_en,
        'tried ' || array_to_string(categories_tried.mdcs, ' → '),
        'the principal operation leads to no operative rule, tried with the further one ' || matches.further_op_code,
        case
            when case_groups.rule_id is not null
                then 'meets rule ' || case_groups.rule_id || ' (' || rules.match_rule || ': ' || rules.text_en || ') of '
                || case_groups.mdc
            when categories_tried.mdcs is not null then 'meets no rule of them'
            when case_groups.check_failure is null
                then 'the principal diagnosis leads into no category, or contradicts sex or age'
        end,
        comorbidities.text_en,
        'group ' || case_groups.group_code || coalesce(' (' || limited_groups.text_en || ')', ''),
        'nearly met rule ' || nearly_matched.rule_id || ' (' || nearly_matched.unmet || ' does not fit)',
        case
            when counterfactuals.plus_cc = counterfactuals.plus_mcc
                then 'with a MCC or CC that counts it would be ' || counterfactuals.plus_cc
            else concat_ws(
                '; ',
                'with a CC that counts it would be ' || counterfactuals.plus_cc,
                'with a MCC that counts it would be ' || counterfactuals.plus_mcc
            )
        end,
        'without the MCC that count it would be ' || counterfactuals.minus_mcc,
        'without the CC that count it would be ' || counterfactuals.minus_cc,
        'without the MCC and CC that count it would be ' || counterfactuals.minus_both
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
left join matches
    on case_groups.case_no = matches.case_no
left join counterfactuals
    on case_groups.case_no = counterfactuals.case_no
left join limited_groups
    on case_groups.scheme_id = limited_groups.scheme_id
    and case_groups.rule_id = limited_groups.rule_id
    and case_groups.group_code = limited_groups.drg_code
