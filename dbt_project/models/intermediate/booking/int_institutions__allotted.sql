-- What each institution gets of a pool: the pool's amount by points, or its points at a value set beforehand.
-- (90-drg-dip.md §0.5 rules 4 to 6: the area to its institutions first)
{{ config(materialized='work_table', tags=['case_booking']) }}
with point_values as (

    select * from {{ ref('int_point_values') }}
    where
        settlement_month = {{ booked_month() }}
        and {{ in_run_area('area_code') }}
        and point_value is not null

),

institutions as (

    select
        cases_pointed.fixmedins_code,
        cases_pointed.area_code,
        cases_pointed.fund_pay_type,
        cases_pointed.scheme_version,
        point_values.value_mode,
        point_values.point_value,
        point_values.fund_share,
        point_values.allotted_amount,
        sum(cases_pointed.points) as points
    from {{ ref('int_cases__pointed') }} as cases_pointed
    inner join point_values
        on cases_pointed.area_code = point_values.area_code
        and cases_pointed.fund_pay_type = point_values.fund_pay_type
        and cases_pointed.scheme_version = point_values.scheme_version
    -- At a set rate every case is paid by itself.
    where not (point_values.pricing_method = 'drg_rate' and point_values.value_mode = 'fixed')
    group by
        cases_pointed.fixmedins_code,
        cases_pointed.area_code,
        cases_pointed.fund_pay_type,
        cases_pointed.scheme_version,
        point_values.value_mode,
        point_values.point_value,
        point_values.fund_share,
        point_values.allotted_amount

),

sharing as (

    select * from institutions
    where value_mode <> 'fixed'

),

shared as (

    {{ split_by_largest_remainder(
        'sharing', 'allotted_amount', 'points', 'area_code, fund_pay_type, scheme_version', 'fixmedins_code'
    ) }}

)

select
    fixmedins_code,
    area_code,
    fund_pay_type,
    scheme_version,
    points,
    share_amount as gross_amount
from shared

union all

select
    fixmedins_code,
    area_code,
    fund_pay_type,
    scheme_version,
    points,
    {{ yuan('points * point_value * fund_share') }} as gross_amount
from institutions
where value_mode = 'fixed'
