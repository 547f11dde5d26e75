-- The group of every case: the candidate that stands first in the order of selection.
{{ config(materialized='work_table', tags=['dip_grouping']) }}
with cases as (

    select * from {{ ref('int_dip_cases') }}

),

-- Of several the one with the most related operations; of equals the highest score, then the group's id.
selected as (

    select distinct on (case_no)
        case_no,
        group_id,
        stage,
        score,
        main_op_code
    from {{ ref('int_dip_case_candidates') }}
    order by
        case_no asc,
        stage_rank asc,
        kind_rank asc,
        property_rank asc,
        type_rank asc,
        related_term_count desc,
        score desc nulls last,
        group_id asc

)

select
    cases.case_no,
    cases.case_id,
    cases.scheme_id,
    coalesce(selected.group_id, case cases.check_failure when 'EXCLUDED_DX' then 'EXCLUDED_DX' else 'UNGROUPED' end)
        as group_code,
    selected.stage,
    selected.score,
    selected.main_op_code,
    cases.check_failure,
    case
        when cases.check_failure = 'EXCLUDED_DX' then 'EXCLUDED_DX'
        when cases.check_failure is not null then 'CHECK_FAILED'
        when selected.group_id is null then '无法入组'
        else '分组成功'
    end as status
from cases
left join selected
    on cases.case_no = selected.case_no
