-- The booked month's inpatient cases whose list has come, as the checks on coding read them. Only a month that is booked
-- as a whole is checked: shares of an institution and of its peers say nothing while cases are still coming.
with bookings as (

    select * from {{ ref('int_case_bookings') }}
    where
        settlement_month = {{ booked_month() }}
        and {{ in_run_area('area_code') }}
        and not is_provisional

),

lists as (

    select * from {{ ref('stg_raw__settlement_lists') }}
    where business_date between {{ booked_month_start() }} and {{ booked_month_end() }}

)

select
    bookings.fixmedins_code,
    bookings.setl_id,
    bookings.area_code,
    bookings.business_date,
    bookings.method,
    bookings.scheme_version,
    bookings.case_status,
    bookings.group_code,
    bookings.base_points,
    bookings.coefficient,
    bookings.standard_amount,
    bookings.points,
    bookings.stay_days,
    bookings.total_cost_amount,
    bookings.explanation,
    lists.person_key,
    lists.adm_time::date as admitted_on,
    lists.dscg_time::date as discharged_on,
    lists.dscg_way as discharge_way,
    lists.accepted_batch_id as list_batch_id
from bookings
inner join lists
    on bookings.fixmedins_code = lists.fixmedins_code
    and bookings.setl_id = lists.setl_id
    and bookings.business_date = lists.business_date
