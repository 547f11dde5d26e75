-- Why the case is in its group, and why it is booked at this amount.
select
    bookings.method,
    bookings.scheme_version,
    bookings.case_status,
    bookings.group_code,
    bookings.group_name,
    bookings.points,
    bookings.deviation_type,
    bookings.booked_amount,
    bookings.accrued_amount,
    bookings.is_provisional,
    point_values.published_point_value,
    point_values.pool_amount as point_value_numerator,
    point_values.total_points as point_value_denominator,
    bookings.explanation,
    bookings.explanation_en
from marts.fct_case_bookings as bookings
left join marts.fct_point_values as point_values
    on bookings.area_code = point_values.area
    and bookings.settlement_month = point_values.month
    and bookings.fund_pay_type = point_values.fund_pay_type
    and bookings.scheme_version = point_values.scheme
where bookings.setl_id = %(setl_id)s and bookings.fixmedins_code = %(fixmedins_code)s
