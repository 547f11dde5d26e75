-- Dated rates of bed days; an empty key column stands for all, the most specific row wins.
select
    area_code,
    fixmedins_code,
    hosp_lv,
    from_day,
    day_amount,
    fund_rate,
    document,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'bed_day_rate') }}
