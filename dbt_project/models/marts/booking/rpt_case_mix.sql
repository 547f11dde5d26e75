-- Each institution's month: cases, case-mix index, costs, and how many cases deviate or wait for their list.
with bookings as (

    select * from {{ ref('int_case_bookings') }}
    where scheme_version is not null

)

select
    area_code,
    fixmedins_code,
    settlement_month,
    scheme_version,
    count(*)::integer as case_count,
    (count(*) filter (where case_status in ('GROUPED', 'AMBIGUOUS')))::integer as grouped_count,
    (count(*) filter (where case_status = 'LIST_MISSING'))::integer as awaiting_list_count,
    (count(*) filter (where case_status in ('UNGROUPED', 'CHECK_FAILED')))::integer as ungrouped_count,
    (count(*) filter (where deviation_type = 'LOW'))::integer as low_count,
    (count(*) filter (where deviation_type in ('HIGH', 'EXTREME')))::integer as high_count,
    round((count(*) filter (where deviation_type = 'LOW'))::numeric / nullif(count(points), 0), 6)::numeric(9, 6)
        as low_rate,
    round(
        (count(*) filter (where deviation_type in ('HIGH', 'EXTREME')))::numeric / nullif(count(points), 0), 6
    )::numeric(9, 6) as high_rate,
    round(avg(weight) filter (where case_status in ('GROUPED', 'AMBIGUOUS')), 4)::numeric(18, 4) as case_mix_index,
    sum(points)::numeric(18, 4) as total_points,
    sum(total_cost_amount)::numeric(18, 2) as total_cost_amount,
    round(avg(total_cost_amount), 2)::numeric(18, 2) as mean_cost_amount,
    round(avg(stay_days), 2)::numeric(18, 2) as mean_stay_days,
    sum(accrued_amount)::numeric(18, 2) as accrued_amount,
    sum(booked_amount)::numeric(18, 2) as booked_amount
from bookings
group by
    fixmedins_code,
    area_code,
    settlement_month,
    scheme_version
