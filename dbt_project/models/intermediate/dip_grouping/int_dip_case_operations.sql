-- The operations of each case with their property, and which of them may be the main one: the first, or each code once
-- where the scheme matches any; a simple or excluded operation is none. (90-drg-dip.md §3.2)
{{ config(materialized='work_table', tags=['dip_grouping']) }}
with cases as (

    select * from {{ ref('int_dip_cases') }}
    where check_failure is null

),

properties as (

    select * from {{ ref('stg_grouper__dip_operation_properties') }}

),

exclusions as (

    select * from {{ ref('stg_grouper__dip_exclusions') }}
    where kind = 'op'

),

operations as (

    select
        cases.case_no,
        cases.scheme_id,
        cases.principal_dx_code,
        given.seq,
        given.op_code,
        given.seq = case cases.op_match_scope when 'ANY' then array_position(cases.op_codes, given.op_code) else 1 end
            as is_first,
        case
            when exclusions.code is not null then 'SIMPLE'
            when properties.property = 'INTERVENTION' then 'SURGERY'
            else properties.property
        end as property
    from cases
    cross join unnest(cases.op_codes) with ordinality as given (op_code, seq)
    left join properties
        on cases.scheme_id = properties.scheme_id
        and given.op_code = properties.op_code
    left join exclusions
        on cases.scheme_id = exclusions.scheme_id
        and given.op_code = exclusions.code
    where given.op_code <> ''

)

select
    case_no,
    scheme_id,
    principal_dx_code,
    seq::integer as seq,
    op_code,
    property,
    property is distinct from 'SIMPLE' and is_first as may_be_main
from operations
