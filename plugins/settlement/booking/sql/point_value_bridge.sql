-- Why the values differ from the month before.
select *
from marts.rpt_point_value_bridge
where
    settlement_month = %(month)s
    and area_code = coalesce(%(area_code)s, area_code)
order by
    area_code,
    fund_pay_type,
    scheme_version
