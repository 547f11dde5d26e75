-- What a point is worth in the booked month, with numerator and denominator, and what the pool shares out.
-- (90-drg-dip.md §4.2–4.4, elastic value §4.8)
{{
    config(
        materialized='period_replace',
        period_predicate='settlement_month = ' ~ booked_month() ~ ' and ' ~ in_run_area('area_code'),
        contract={'enforced': true},
        tags=['booking'],
    )
}}
with pools as (

    select * from {{ ref('int_pools__funded') }}

),

cases_pointed as (

    select * from {{ ref('int_cases__pointed') }}

),

earlier_values as (

    {{ earlier_point_values() }}

),

points as (

    select
        area_code,
        fund_pay_type,
        scheme_version,
        sum(points) as total_points,
        sum(base_points) filter (where deviation_type <> 'BY_COST') as standard_points
    from cases_pointed
    group by
        area_code,
        fund_pay_type,
        scheme_version

),

-- The money that points stand for: the fund with what patients and others paid, or the fund at its payment ratio.
numerators as (

    select
        pools.*,
        points.total_points,
        points.standard_points,
        case pools.point_basis
            when 'total_cost' then pools.fund_amount + pools.other_paid_amount
            else pools.fund_amount / nullif(pools.payment_ratio, 0)
        end as pool_amount,
        coalesce(
            rates.rate, pools.fixed_value, case when pools.value_mode = 'fixed' then earlier_values.point_value end
        ) as set_value
    from pools
    inner join points
        on pools.area_code = points.area_code
        and pools.fund_pay_type = points.fund_pay_type
        and pools.scheme_version = points.scheme_version
    left join {{ ref('int_drg_rates') }} as rates
        on pools.area_code = rates.area_code
        and pools.fund_pay_type = rates.fund_pay_type
        and pools.scheme_version = rates.scheme_version
        and pools.value_mode = 'fixed'
    left join earlier_values
        on pools.area_code = earlier_values.area_code
        and pools.fund_pay_type = earlier_values.fund_pay_type
        and pools.scheme_version = earlier_values.scheme_version

),

-- Elastic: what is above the base volume shares what the base leaves at the fixed value, up to the cap.
increments as (

    select
        numerators.*,
        greatest(total_points - base_volume_points, 0) as increment_points,
        pool_amount - base_volume_points * fixed_value as increment_amount
    from numerators

),

elastic as (

    select
        increments.*,
        increment_amount / nullif(increment_points, 0) as floating_value,
        least(total_points, base_volume_points) * fixed_value
        + case
            when increment_points > 0 then least(greatest(increment_amount, 0), increment_points * value_cap)
            else 0
        end as elastic_amount
    from increments

),

-- A base volume at a fixed value, too, takes no more than there is.
shared as (

    select
        elastic.*,
        case
            when value_mode <> 'elastic' or elastic_amount > pool_amount then pool_amount
            else elastic_amount
        end as shared_amount,
        case point_basis when 'total_cost' then 1 else payment_ratio end as fund_share
    from elastic

),

valued as (

    select
        *,
        case value_mode
            when 'fixed' then set_value
            else shared_amount / nullif(total_points, 0)
        end as point_value
    from shared

)

select
    area_code,
    settlement_month,
    fund_pay_type,
    scheme_version,
    pricing_method,
    point_basis,
    value_mode,
    fund_source,
    case_count::integer as case_count,
    fund_amount::numeric(18, 2) as fund_amount,
    other_paid_amount::numeric(18, 2) as other_paid_amount,
    total_cost_amount::numeric(18, 2) as total_cost_amount,
    accrued_amount::numeric(18, 2) as accrued_amount,
    round(payment_ratio, 6)::numeric(9, 6) as payment_ratio,
    round(pool_amount, 2)::numeric(18, 2) as pool_amount,
    total_points::numeric(18, 4) as total_points,
    standard_points::numeric(18, 4) as standard_points,
    round(fixed_value, 8)::numeric(24, 8) as fixed_value,
    round(floating_value, 8)::numeric(24, 8) as floating_value,
    round(point_value, 8)::numeric(24, 8) as point_value,
    round(point_value, 4)::numeric(18, 4) as published_point_value,
    -- What is split over institutions; with a value set beforehand each institution's points give its own amount.
    case
        when value_mode = 'fixed' then null
        when value_mode = 'elastic' then {{ yuan('shared_amount * fund_share') }}
        when point_basis = 'total_cost' then fund_amount + other_paid_amount
        else fund_amount
    end::numeric(18, 2) as allotted_amount,
    fund_share::numeric(30, 20) as fund_share,
    parameter_version,
    {{ is_provisional_booking() }} as is_provisional
from valued
