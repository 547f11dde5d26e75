-- Calendar days with the count of working days up to and including each, so that spans are differences.
select
    date,
    is_working_day,
    count(*) filter (where is_working_day) over (order by date) as working_day_number
from {{ ref('working_days') }}
