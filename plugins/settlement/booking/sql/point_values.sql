-- The month's point values with numerator and denominator.
select *
from marts.fct_point_values
where
    month = %(month)s
    and area = coalesce(%(area_code)s, area)
order by
    area,
    fund_pay_type,
    scheme
