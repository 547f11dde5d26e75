-- Booked months in which a case waited for its list that has come since.
select distinct bookings.settlement_month
from intermediate.int_case_bookings as bookings
inner join staging.stg_raw__settlement_lists as lists
    on bookings.fixmedins_code = lists.fixmedins_code
    and bookings.setl_id = lists.setl_id
    and bookings.business_date = lists.business_date
where
    bookings.case_status = 'LIST_MISSING'
    and not bookings.is_provisional
    and bookings.area_code = coalesce(%(area_code)s, bookings.area_code)
order by bookings.settlement_month
