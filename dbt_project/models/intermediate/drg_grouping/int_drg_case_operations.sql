-- The operations of each case in order, and whether the scheme counts them.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_cases__to_group') }}

),

schemes as (

    select * from {{ ref('stg_grouper__schemes') }}
    where kind = 'drg'

),

case_operations as (

    select
        cases.case_no,
        cases.scheme_id,
        generate_subscripts(cases.op_codes, 1) as seq,
        unnest(cases.op_codes) as op_code
    from cases
    inner join schemes
        on cases.scheme_id = schemes.scheme_id

),

valid_operations as (

    select * from {{ ref('stg_grouper__drg_valid_operations') }}

)

select
    case_operations.case_no,
    case_operations.scheme_id,
    case_operations.seq,
    case_operations.op_code,
    valid_operations.op_code is not null as is_valid
from case_operations
left join valid_operations
    on case_operations.scheme_id = valid_operations.scheme_id
    and case_operations.op_code = valid_operations.op_code
