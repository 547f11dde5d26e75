-- What the books of the booked month still differ by: booked less accrued of all cases, less what is in the books.
with bookings as (

    select
        fixmedins_code,
        area_code,
        fund_pay_type,
        settlement_month,
        sum(booked_amount - accrued_amount) as adjustment_amount
    from {{ ref('int_case_bookings') }}
    where
        settlement_month = {{ booked_month() }}
        and {{ in_run_area('area_code') }}
    group by
        fixmedins_code,
        area_code,
        fund_pay_type,
        settlement_month

),

movements as (

    {{ payable_movements(['booked']) }}

),

in_the_books as (

    select
        fixmedins_code,
        area_code,
        fund_pay_type,
        source_id as settlement_month,
        sum(payable_amount) as posted_amount,
        count(*) as booking_count
    from movements
    where
        source_id = {{ booked_month() }}
        and {{ in_run_area('area_code') }}
    group by
        fixmedins_code,
        area_code,
        fund_pay_type,
        source_id

)

select
    coalesce(bookings.fixmedins_code, in_the_books.fixmedins_code) as fixmedins_code,
    coalesce(bookings.area_code, in_the_books.area_code) as area_code,
    coalesce(bookings.fund_pay_type, in_the_books.fund_pay_type) as fund_pay_type,
    coalesce(bookings.settlement_month, in_the_books.settlement_month) as settlement_month,
    coalesce(in_the_books.booking_count, 0) + 1 as booking_no,
    (coalesce(bookings.adjustment_amount, 0) - coalesce(in_the_books.posted_amount, 0))::numeric(18, 2)
        as difference_amount
from bookings
full outer join in_the_books
    on bookings.fixmedins_code = in_the_books.fixmedins_code
    and bookings.fund_pay_type = in_the_books.fund_pay_type
    and bookings.settlement_month = in_the_books.settlement_month
where coalesce(bookings.adjustment_amount, 0) <> coalesce(in_the_books.posted_amount, 0)
