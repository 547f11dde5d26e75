-- The diagnoses of each case in order; seq 1 is the principal one.
{{ config(materialized='work_table', tags=['drg_grouping']) }}
with cases as (

    select * from {{ ref('int_drg_cases') }}
    where check_failure is null

)

select
    cases.case_no,
    cases.scheme_id,
    cases.principal_dx_code,
    diagnoses.seq::integer as seq,
    diagnoses.dx_code
from cases
cross join unnest(cases.dx_codes) with ordinality as diagnoses (dx_code, seq)
where diagnoses.dx_code <> ''
