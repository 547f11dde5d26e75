-- The operations of each case in order, and whether the scheme counts them.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}
    where check_failure is null

),

valid_operations as (

    select * from {{ ref('stg_grouper__drg_valid_operations') }}

)

select
    cases.case_no,
    cases.scheme_id,
    operations.seq::integer as seq,
    operations.op_code,
    valid_operations.op_code is not null as is_valid
from cases
cross join unnest(cases.op_codes) with ordinality as operations (op_code, seq)
left join valid_operations
    on cases.scheme_id = valid_operations.scheme_id
    and operations.op_code = valid_operations.op_code
where operations.op_code <> ''
