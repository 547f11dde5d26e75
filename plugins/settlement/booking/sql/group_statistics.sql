-- Each group's month in numbers.
select *
from marts.rpt_group_statistics
where
    settlement_month = %(month)s
    and area_code = coalesce(%(area_code)s, area_code)
order by
    area_code,
    scheme_version,
    group_code
