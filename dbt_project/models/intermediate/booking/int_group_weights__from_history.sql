-- Weights and scores that follow from the three years before: each group's weighted mean cost over that of all cases.
-- (90-drg-dip.md §4.1: RW = m / M, DIP score = m / M × 1000, means weighted old to new)
with histories as (

    -- Of figures that were delivered anew the newest count.
    select distinct on (area_code, scheme_code, group_code, cost_year)
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
    order by
        area_code asc,
        scheme_code asc,
        group_code asc,
        cost_year asc,
        valid_from desc

),

definitions as (

    select * from {{ ref('pricing_parameters') }}
    where parameter like 'history_weight_%'

),

area_parameters as (

    select * from {{ ref('stg_reference__pricing_parameters') }}
    where parameter like 'history_weight_%'

),

-- The year that is to be weighed is the one after the newest with figures.
dated as (

    select
        histories.*,
        max(cost_year) over (partition by area_code, scheme_code) + 1 as budget_year
    from histories

),

-- The scheme's row before the area's before the default, as they stand when that year begins.
weighted as (

    select distinct on (dated.area_code, dated.scheme_code, dated.group_code, dated.cost_year)
        dated.*,
        coalesce(area_parameters.value, definitions.default_value)::numeric as year_weight
    from dated
    inner join definitions
        -- 1 is the oldest of three years, 3 the newest.
        on definitions.parameter = 'history_weight_' || (4 - (dated.budget_year - dated.cost_year))
        and make_date(dated.budget_year, 1, 1) between definitions.valid_from
        and coalesce(definitions.valid_to, date 'infinity')
    left join area_parameters
        on dated.area_code = area_parameters.area_code
        and dated.scheme_code = coalesce(area_parameters.scheme_code, dated.scheme_code)
        and definitions.parameter = area_parameters.parameter
        and make_date(dated.budget_year, 1, 1) between area_parameters.valid_from and area_parameters.valid_to
    order by
        dated.area_code asc,
        dated.scheme_code asc,
        dated.group_code asc,
        dated.cost_year asc,
        area_parameters.scheme_code is null

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
