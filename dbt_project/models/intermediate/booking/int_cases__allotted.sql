-- What each case gets of its institution's amount, by points: cases always add up to their institution.
-- (90-drg-dip.md §0.5 rule 6)
{{ config(materialized='work_table', tags=['case_booking']) }}
with parts as (

    select
        cases_pointed.fixmedins_code,
        cases_pointed.setl_id,
        cases_pointed.fund_pay_type,
        cases_pointed.scheme_version,
        cases_pointed.points,
        institutions.gross_amount as institution_amount
    from {{ ref('int_cases__pointed') }} as cases_pointed
    inner join {{ ref('int_institutions__allotted') }} as institutions
        on cases_pointed.fixmedins_code = institutions.fixmedins_code
        and cases_pointed.fund_pay_type = institutions.fund_pay_type
        and cases_pointed.scheme_version = institutions.scheme_version

),

shared as (

    {{ split_by_largest_remainder(
        'parts', 'institution_amount', 'points', 'fixmedins_code, fund_pay_type, scheme_version', 'setl_id'
    ) }}

)

select
    fixmedins_code,
    setl_id,
    institution_amount,
    share_amount as gross_amount
from shared
