-- Book inpatient cases by their points: benefit expense against the payable, as far as it was not accrued; what is
-- grouped or priced anew later differs in an entry of its own.
{{
    config(
        materialized='period_replace',
        period_predicate='settlement_month = ' ~ booked_month() ~ ' and ' ~ in_run_area('area_code'),
        tags=['booking'],
    )
}}
with differences as (

    select * from {{ ref('int_bookings__to_post') }}

),

events as (

    select
        concat_ws(':', fixmedins_code, 'booked', settlement_month, fund_pay_type, booking_no) as business_event_id,
        area_code,
        fixmedins_code,
        fund_pay_type,
        {{ booked_month_end() }} as event_date,
        settlement_month,
        difference_amount as adjustment_amount,
        settlement_month as source_id,
        null::text as reverses_event_id
    from differences

)

{{ entry_lines('booked', 'events') }}
