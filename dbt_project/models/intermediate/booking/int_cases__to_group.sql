-- The cases that the run groups: the set brought by hand, or those of the booked month.
{{ config(materialized='ephemeral') }}
select
    case_no,
    case_id,
    scheme_id,
    gender,
    age_years,
    age_days,
    weight_g,
    stay_days,
    discharge_way,
    dx_codes,
    op_codes
from {{ ref('stg_grouper__cases') }}
where case_set = {{ case_set() }}

union all

select
    case_no,
    case_id,
    scheme_id,
    gender,
    age_years,
    age_days,
    weight_g,
    stay_days,
    discharge_way,
    dx_codes,
    op_codes
from {{ ref('int_listed_cases') }}
where {{ case_set() }} is null
