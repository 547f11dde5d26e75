-- Which cases have an operation that counts, and whether their principal one does.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
select
    case_no,
    bool_or(is_valid and seq = 1) as is_principal_valid
from {{ ref('int_drg_case_operations') }}
where is_valid
group by case_no
