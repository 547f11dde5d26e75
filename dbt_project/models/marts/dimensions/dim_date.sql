-- Calendar days of all published years, with official working days.
select
    date,
    is_working_day,
    holiday_name_zh,
    holiday_name_en,
    {{ settlement_month('date') }} as settlement_month,
    extract(year from date)::integer as calendar_year,
    extract(isodow from date)::integer as weekday
from {{ ref('working_days') }}
