-- What a stay paid by the day is worth: tier by tier, in yuan, in what the fund bears of it, and in points.
-- (90-drg-dip.md §4.9: bed-day)
{{ config(materialized='work_table', tags=['case_booking']) }}
with cases as (

    select * from {{ ref('int_cases__to_price') }}
    where case_status = 'BED_DAY'

),

rates as (

    select * from {{ ref('stg_reference__bed_day_rates') }}
    where {{ booked_month_end() }} between valid_from and valid_to

),

parameters as (

    select * from {{ ref('int_pricing_parameters__in_force') }}

),

-- The tiers of the institution, else of its level, else of the area; never a mixture.
ranked as (

    select
        cases.fixmedins_code,
        cases.setl_id,
        cases.area_code,
        cases.scheme_version,
        coalesce(cases.stay_days, 1) as stay_days,
        cases.overall_mean_cost_amount,
        rates.from_day,
        rates.day_amount,
        rates.fund_rate,
        dense_rank() over (
            partition by cases.fixmedins_code, cases.setl_id
            order by rates.fixmedins_code is null, rates.hosp_lv is null
        ) as precedence
    from cases
    inner join rates
        on cases.area_code = rates.area_code
        and cases.fixmedins_code = coalesce(rates.fixmedins_code, cases.fixmedins_code)
        and (rates.hosp_lv is null or cases.hosp_lv = rates.hosp_lv)

),

tiers as (

    select
        ranked.*,
        least(
            stay_days,
            coalesce(lead(from_day) over (partition by fixmedins_code, setl_id order by from_day) - 1, stay_days)
        ) - from_day + 1 as tier_days
    from ranked
    where precedence = 1

)

select
    tiers.fixmedins_code,
    tiers.setl_id,
    round(sum(tiers.day_amount * tiers.tier_days), 2) as gross_amount,
    {{ yuan('sum(tiers.day_amount * tiers.tier_days * tiers.fund_rate)') }} as fund_amount,
    sum(
        round(tiers.day_amount / tiers.overall_mean_cost_amount * parameters.point_scale, 4) * tiers.tier_days
    )::numeric(18, 4) as points
from tiers
left join parameters
    on tiers.area_code = parameters.area_code
    and tiers.scheme_version = parameters.scheme_version
where tiers.tier_days > 0
group by
    tiers.fixmedins_code,
    tiers.setl_id
