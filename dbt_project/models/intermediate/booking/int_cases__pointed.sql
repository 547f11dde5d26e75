-- The points of every case that shares in a pool, and how its cost deviates from its group's mean.
-- (90-drg-dip.md §4.2 DRG rate, §4.3 DRG points, §4.4 DIP points)
{{ config(materialized='work_table', tags=['case_booking']) }}
with cases as (

    select * from {{ ref('int_cases__to_price') }}
    where is_pooled

),

bed_day_points as (

    select * from {{ ref('int_cases__bed_days') }}

),

parameters as (

    select * from {{ ref('int_pricing_parameters__in_force') }}

),

-- What a normal case is worth before coefficients, in points; and the mean its cost is measured by: its level's, else
-- all hospitals', else what the weight says. A case without a group, or of a group without a standard, is worth its cost.
worth as (

    select
        cases.*,
        parameters.pricing_method,
        parameters.deviation_scheme,
        parameters.parameter_version,
        parameters.is_high_inclusive,
        parameters.low_ratio,
        parameters.high_excess_rate,
        parameters.extreme_ratio,
        parameters.ungrouped_factor,
        parameters.point_scale,
        case
            when cases.case_status in ('GROUPED', 'AMBIGUOUS')
                then {{ base_points(
                    'parameters', 'cases.weight', 'cases.mean_cost_amount', 'cases.overall_mean_cost_amount'
                ) }}
        end as base_points,
        coalesce(
            cases.level_mean_cost_amount,
            coalesce(
                cases.mean_cost_amount,
                cases.weight * cases.overall_mean_cost_amount
                / case parameters.kind when 'dip' then parameters.point_scale else 1 end
            ) * case parameters.kind when 'dip' then cases.coefficient else 1 end
        ) as reference_cost_amount,
        case
            when parameters.pricing_method <> 'drg_rate' then parameters.high_ratio
            when cases.weight <= 1 then parameters.high_ratio_light
            when cases.weight <= 2 then parameters.high_ratio_medium
            else parameters.high_ratio_heavy
        end as high_ratio
    from cases
    inner join parameters
        on cases.area_code = parameters.area_code
        and cases.scheme_version = parameters.scheme_version

),

-- The rate of the DRG rate method is that of its pool, found before any case deviates: it measures cases by money.
rated as (

    select
        worth.*,
        rates.rate,
        case
            when worth.pricing_method = 'drg_rate'
                then round(worth.weight * worth.coefficient * rates.rate, 2)
            else worth.reference_cost_amount
        end as standard_amount
    from worth
    left join {{ ref('int_drg_rates') }} as rates
        on worth.area_code = rates.area_code
        and worth.fund_pay_type = rates.fund_pay_type
        and worth.scheme_version = rates.scheme_version

),

measured as (

    select
        rated.*,
        total_cost_amount / nullif(standard_amount, 0) as cost_ratio
    from rated

),

-- At the bounds a case is normal, unless the area's rule says otherwise.
typed as (

    select
        measured.*,
        case
            when method = 'bed_day' then 'BED_DAY'
            when base_points is null then 'BY_COST'
            when cost_ratio is null then 'NORMAL'
            when cost_ratio < low_ratio then 'LOW'
            when pricing_method = 'dip_points' and cost_ratio >= extreme_ratio then 'EXTREME'
            when cost_ratio > high_ratio or (is_high_inclusive and cost_ratio = high_ratio) then 'HIGH'
            else 'NORMAL'
        end as deviation_type
    from measured

),

factored as (

    select
        typed.*,
        case
            when deviation_type in ('NORMAL', 'BY_COST', 'BED_DAY') then 1
            when pricing_method <> 'dip_points' then round(cost_ratio, 4)
            when deviation_type = 'LOW' then round(cost_ratio, 4)
            when deviation_scheme = 'DIP2' then round(cost_ratio, 4) - high_ratio + 1
            -- From DIP 3.0 on the costly case keeps its points and goes to special-case review.
            else 1
        end as factor,
        case
            when pricing_method <> 'drg_rate' or deviation_type = 'BED_DAY' then null
            when deviation_type = 'LOW' then total_cost_amount
            when deviation_type = 'HIGH'
                then round(
                    standard_amount + (total_cost_amount - standard_amount * high_ratio) * high_excess_rate, 2
                )
            when deviation_type = 'NORMAL' then standard_amount
            else round(total_cost_amount * ungrouped_factor, 2)
        end as case_payment_amount
    from typed

)

select
    factored.fixmedins_code,
    factored.setl_id,
    factored.area_code,
    factored.settlement_month,
    factored.fund_pay_type,
    factored.scheme_version,
    factored.pricing_method,
    factored.parameter_version,
    factored.total_cost_amount,
    factored.accrued_amount,
    factored.other_paid_amount,
    factored.base_points,
    factored.standard_amount,
    round(factored.cost_ratio, 4) as cost_ratio,
    factored.deviation_type,
    round(factored.factor, 4) as factor,
    factored.case_payment_amount,
    case
        when deviation_type = 'BED_DAY' then bed_day_points.points
        when deviation_type = 'BY_COST' and pricing_method = 'drg_rate'
            then round(case_payment_amount / nullif(rate, 0), 4)
        when deviation_type = 'BY_COST'
            then round(total_cost_amount / overall_mean_cost_amount * point_scale * ungrouped_factor, 4)
        when pricing_method = 'dip_points'
            then round(base_points * coefficient * auxiliary_coefficient * factor, 4)
        when pricing_method = 'drg_rate' and deviation_type = 'NORMAL' then round(base_points * coefficient, 4)
        when pricing_method = 'drg_rate' then round(case_payment_amount / nullif(rate, 0), 4)
        when deviation_type = 'LOW' then round(base_points * total_cost_amount / standard_amount, 4)
        when deviation_type = 'HIGH'
            then round(
                base_points * coefficient + base_points * (total_cost_amount / standard_amount - high_ratio), 4
            )
        else round(base_points * coefficient, 4)
    end::numeric(18, 4) as points
from factored
left join bed_day_points
    on factored.fixmedins_code = bed_day_points.fixmedins_code
    and factored.setl_id = bed_day_points.setl_id
