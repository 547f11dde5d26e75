-- The pools of the booked month with their fund and the parameters they are shared out by.
{{ config(materialized='work_table', tags=['case_booking']) }}
with month_funds as (

    select * from {{ ref('int_month_funds') }}

),

parameters as (

    select * from {{ ref('int_pricing_parameters__in_force') }}

),

areas as (

    select * from {{ ref('stg_reference__areas') }}
    where {{ booked_month_end() }} between valid_from and valid_to

)

select
    month_funds.area_code,
    month_funds.fund_pay_type,
    month_funds.scheme_version,
    month_funds.settlement_month,
    month_funds.case_count,
    month_funds.total_cost_amount,
    month_funds.accrued_amount,
    month_funds.other_paid_amount,
    month_funds.fund_amount,
    month_funds.fund_source,
    coalesce(areas.point_basis, 'fund') as point_basis,
    parameters.pricing_method,
    case when {{ is_provisional_booking() }} then 'fixed' else parameters.value_mode end as value_mode,
    parameters.fixed_value,
    parameters.base_points as base_volume_points,
    parameters.value_cap,
    -- What the fund bears of a case's cost: ordered, or what it was booked for these very cases. (§4.4)
    coalesce(parameters.payment_ratio, month_funds.accrued_amount / nullif(month_funds.total_cost_amount, 0))
        as payment_ratio,
    parameters.parameter_version
from month_funds
inner join parameters
    on month_funds.area_code = parameters.area_code
    and month_funds.scheme_version = parameters.scheme_version
left join areas
    on month_funds.area_code = areas.area_code
