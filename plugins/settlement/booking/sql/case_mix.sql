-- Each institution's month in numbers.
select *
from marts.rpt_case_mix
where
    settlement_month = %(month)s
    and area_code = coalesce(%(area_code)s, area_code)
order by
    area_code,
    fixmedins_code,
    scheme_version
