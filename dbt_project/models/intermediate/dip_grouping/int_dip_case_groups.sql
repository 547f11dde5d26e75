-- The group of every case: the candidate that stands first in the order of selection.
{{ config(materialized='work_table', tags=['dip_grouping'], statistics_of=['case_no', 'scheme_id']) }}
with cases as (

    select * from {{ ref('int_dip_cases') }}

),

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
        precedence asc,
        main_op_code asc

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
