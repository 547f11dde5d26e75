-- Weights and scores that follow from the three years before: each group's weighted mean cost over that of all cases.
-- (90-drg-dip.md §4.1: RW = m / M, DIP score = m / M × 1000, means weighted old to new)
with histories as (

    select
        area_code,
        scheme_code,
        group_code,
        cost_year,
        cases as case_count,
        mean_cost as mean_cost_amount
    from {{ ref('stg_reference__group_histories') }}
    where
        {{ booked_month_start() }} is null
        or {{ booked_month_end() }} between valid_from and valid_to

),

definitions as (

    select * from {{ ref('pricing_parameters') }}
    where parameter like 'history_weight_%'

),

-- The year that is to be weighed is the one after the newest with figures.
dated as (

    select
        histories.*,
        max(cost_year) over (partition by area_code, scheme_code) + 1 as budget_year
    from histories

),

weighted as (

    select
        dated.*,
        definitions.default_value::numeric as year_weight
    from dated
    inner join definitions
        -- 1 is the oldest of three years, 3 the newest.
        on definitions.parameter = 'history_weight_' || (4 - (dated.budget_year - dated.cost_year))

),

group_means as (

    select
        area_code,
        scheme_code,
        budget_year,
        group_code,
        sum(case_count) as case_count,
        sum(year_weight * mean_cost_amount) / sum(year_weight) as mean_cost
    from weighted
    group by
        area_code,
        scheme_code,
        budget_year,
        group_code

),

year_means as (

    select
        area_code,
        scheme_code,
        budget_year,
        cost_year,
        year_weight,
        sum(case_count * mean_cost_amount) / sum(case_count) as mean_cost
    from weighted
    group by
        area_code,
        scheme_code,
        budget_year,
        cost_year,
        year_weight

),

overall_means as (

    select
        area_code,
        scheme_code,
        budget_year,
        sum(year_weight * mean_cost) / sum(year_weight) as mean_cost
    from year_means
    group by
        area_code,
        scheme_code,
        budget_year

)

select
    group_means.area_code,
    group_means.scheme_code as scheme_version,
    group_means.budget_year,
    group_means.group_code,
    group_means.case_count::integer as case_count,
    round(group_means.mean_cost, 2)::numeric(18, 2) as mean_cost_amount,
    round(overall_means.mean_cost, 6)::numeric(18, 6) as overall_mean_cost_amount,
    round(group_means.mean_cost / overall_means.mean_cost, 4)::numeric(18, 4) as relative_weight,
    round(group_means.mean_cost / overall_means.mean_cost * 1000, 4)::numeric(18, 4) as score
from group_means
inner join overall_means
    on group_means.area_code = overall_means.area_code
    and group_means.scheme_code = overall_means.scheme_code
    and group_means.budget_year = overall_means.budget_year
