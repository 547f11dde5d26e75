-- The cases of the run's set that are grouped by a DIP catalogue.
{{ config(
    materialized='work_table',
    tags=['dip_grouping'],
    statistics_of=['case_no', 'scheme_id', 'principal_dx_code', 'op_match_scope', 'check_failure']
) }}
with cases as (

    select * from {{ ref('int_cases__to_group') }}

),

exclusions as (

    select * from {{ ref('stg_grouper__dip_exclusions') }}
    where kind = 'dx'

),

schemes as (

    select
        schemes.scheme_id,
        schemes.op_match_scope,
        exists (select 1 from exclusions where exclusions.scheme_id = schemes.scheme_id) as has_own_exclusions
    from {{ ref('stg_grouper__schemes') }} as schemes
    where schemes.kind = 'dip'

),

-- What no catalogue settles, where the scheme brings no list of its own.
default_exclusions as (

    select * from {{ ref('dip_excluded_diagnoses') }}

)

select
    cases.case_no,
    cases.case_id,
    cases.scheme_id,
    cases.age_days,
    cases.weight_g,
    cases.dx_codes,
    cases.op_codes,
    cases.dx_codes[1] as principal_dx_code,
    schemes.op_match_scope,
    case
        when coalesce(cases.dx_codes[1], '') = '' then 'NO_DIAGNOSIS'
        when (cases.scheme_id, cases.dx_codes[1]) in (select scheme_id, code from exclusions)
            or (cases.scheme_id, left(cases.dx_codes[1], 5)) in (select scheme_id, code from exclusions)
            or (cases.scheme_id, left(cases.dx_codes[1], 3)) in (select scheme_id, code from exclusions)
            then 'EXCLUDED_DX'
        when left(cases.dx_codes[1], 3) in (select default_exclusions.dx_key from default_exclusions)
            and not schemes.has_own_exclusions
            then 'EXCLUDED_DX'
    end as check_failure
from cases
inner join schemes
    on cases.scheme_id = schemes.scheme_id
