-- The cases with comorbidities that count, and how severe those are.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
select
    case_no,
    bool_or(level = 'MCC') as has_mcc,
    bool_or(level = 'CC') as has_cc
from {{ ref('int_drg_case_comorbidities') }}
where not is_excluded
group by case_no
