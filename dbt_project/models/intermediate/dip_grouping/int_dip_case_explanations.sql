-- Why each case is in its DIP group: its stage, diagnosis and operation, and the group that would have come next.
{{ config(materialized='work_table', tags=['dip_grouping'], statistics_of=['case_no']) }}
with case_groups as (

    select * from {{ ref('int_dip_case_groups') }}

),

cases as (

    select * from {{ ref('int_dip_cases') }}

),

stages as (

    select * from {{ ref('dip_stages') }}

),

operations as (

    select
        case_no,
        string_agg(
            op_code || coalesce(' ' || property, '') || case when may_be_main then '' else ' (—)' end,
            '，' order by seq
        ) as text
    from {{ ref('int_dip_case_operations') }}
    group by case_no

),

others as (

    select
        candidates.case_no,
        string_agg(candidates.group_id, '，' order by candidates.precedence) as text
    from {{ ref('int_dip_case_candidates') }} as candidates
    inner join case_groups
        on candidates.case_no = case_groups.case_no
        and candidates.group_id <> case_groups.group_code
    group by candidates.case_no

)

select
    case_groups.case_no,
    jsonb_strip_nulls(
        jsonb_build_object(
            'principal_diagnosis', cases.principal_dx_code,
            'operations', to_jsonb(cases.op_codes),
            'check_failure', case_groups.check_failure,
            'stage', case_groups.stage,
            'main_operation', case_groups.main_op_code,
            'group', case_groups.group_code,
            'score', case_groups.score,
            'other_candidates', others.text
        )
    ) as explanation,
    concat_ws(
        '；',
        '主诊断 ' || coalesce(cases.principal_dx_code, '缺失'),
        '手术操作 ' || operations.text,
        case case_groups.check_failure
            when 'EXCLUDED_DX' then '主诊断在排除清单内，不按病种结算'
            when 'NO_DIAGNOSIS' then '无主要诊断，无法分组'
        end,
        stages.text_zh || coalesce('，主手术 ' || case_groups.main_op_code, ''),
        '入组 ' || case_groups.group_code || coalesce('，分值 ' || case_groups.score, ''),
        '其他候选 ' || others.text
    ) as explanation_zh,
    concat_ws(
        '; ',
        'principal diagnosis ' || coalesce(cases.principal_dx_code, 'missing'),
        'operations ' || operations.text,
        case case_groups.check_failure
            when 'EXCLUDED_DX' then 'the principal diagnosis is excluded from DIP'
            when 'NO_DIAGNOSIS' then 'no principal diagnosis: cannot be grouped'
        end,
        stages.text_en || coalesce(', main operation ' || case_groups.main_op_code, ''),
        'group ' || case_groups.group_code || coalesce(', score ' || case_groups.score, ''),
        'other candidates ' || others.text
    ) as explanation_en
from case_groups
inner join cases
    on case_groups.case_no = cases.case_no
left join stages
    on case_groups.stage = stages.stage
left join operations
    on case_groups.case_no = operations.case_no
left join others
    on case_groups.case_no = others.case_no
