-- A month's cases by what became of them.
select
    count(*) as case_count,
    count(*) filter (where booking_basis in ('points', 'case_rate')) as pooled_count,
    count(*) filter (where case_status = 'LIST_MISSING') as awaiting_list_count,
    count(*) filter (where case_status in ('UNGROUPED', 'CHECK_FAILED')) as ungrouped_count,
    coalesce(sum(booked_amount), 0) as booked_amount,
    coalesce(sum(accrued_amount), 0) as accrued_amount
from marts.fct_case_bookings
where
    settlement_month = %(month)s
    and area_code = coalesce(%(area_code)s, area_code)
