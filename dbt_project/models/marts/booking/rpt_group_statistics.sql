-- Each group's month in an area: cases, institutions, costs and their spread, stays, money.
select
    area_code,
    settlement_month,
    scheme_version,
    group_code,
    max(group_name) as group_name,
    count(*)::integer as case_count,
    count(distinct fixmedins_code)::integer as institution_count,
    round(avg(total_cost_amount), 2)::numeric(18, 2) as mean_cost_amount,
    -- The coefficient of variation says whether the group is one.
    round(stddev_pop(total_cost_amount) / nullif(avg(total_cost_amount), 0), 4)::numeric(18, 4) as cost_variation,
    round(avg(stay_days), 2)::numeric(18, 2) as mean_stay_days,
    sum(points)::numeric(18, 4) as total_points,
    sum(total_cost_amount)::numeric(18, 2) as total_cost_amount,
    sum(accrued_amount)::numeric(18, 2) as accrued_amount,
    sum(booked_amount)::numeric(18, 2) as booked_amount
from {{ ref('int_case_bookings') }}
where group_code is not null
group by
    area_code,
    settlement_month,
    scheme_version,
    group_code
