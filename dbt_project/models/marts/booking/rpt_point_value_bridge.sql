-- Why a point is worth more or less than the month before: the fund, the number of cases, their mix, what coefficients
-- and deviations added, and how far a value that is fixed or elastic is from what the pool would give. Each effect changes
-- one factor after the other, so they add up to the difference.
with point_values as (

    select * from {{ ref('int_point_values') }}
    where not is_provisional and point_value is not null

),

-- points = cases × mean worth of their groups × what coefficients and deviations make of it
factored as (

    select
        area_code,
        settlement_month,
        fund_pay_type,
        scheme_version,
        point_value,
        pool_amount,
        total_points,
        case_count::numeric as case_count,
        standard_points / nullif(case_count, 0) as mean_points,
        total_points / nullif(standard_points, 0) as coefficient_effect,
        case value_mode
            when 'floating' then point_value
            else round(pool_amount / nullif(total_points, 0), 8)
        end as value_of_pool
    from point_values

),

paired as (

    select
        factored.area_code,
        factored.settlement_month,
        factored.fund_pay_type,
        factored.scheme_version,
        before.settlement_month as month_before,
        before.point_value as point_value_before,
        before.value_of_pool as value_of_pool_before,
        factored.point_value,
        factored.value_of_pool,
        factored.pool_amount / nullif(before.total_points, 0) as with_new_fund,
        factored.pool_amount / nullif(factored.case_count * before.mean_points * before.coefficient_effect, 0)
            as with_new_volume,
        factored.pool_amount / nullif(factored.case_count * factored.mean_points * before.coefficient_effect, 0)
            as with_new_mix
    from factored
    inner join factored as before
        on factored.area_code = before.area_code
        and factored.fund_pay_type = before.fund_pay_type
        and factored.scheme_version = before.scheme_version
        and to_date(factored.settlement_month, 'YYYY-MM')
        = to_date(before.settlement_month, 'YYYY-MM') + interval '1 month'

)

select
    area_code,
    settlement_month,
    fund_pay_type,
    scheme_version,
    month_before,
    point_value_before::numeric(24, 8) as point_value_before,
    round(with_new_fund - value_of_pool_before, 8)::numeric(24, 8) as fund_effect,
    (round(with_new_volume, 8) - round(with_new_fund, 8))::numeric(24, 8) as volume_effect,
    (round(with_new_mix, 8) - round(with_new_volume, 8))::numeric(24, 8) as case_mix_effect,
    (value_of_pool - round(with_new_mix, 8))::numeric(24, 8) as coefficient_effect,
    (point_value - value_of_pool - (point_value_before - value_of_pool_before))::numeric(24, 8) as set_value_effect,
    point_value::numeric(24, 8) as point_value
from paired
