-- The cases of a month by institution: group, points, flags, money and the reasons.
select
    area_code,
    fixmedins_code,
    setl_id,
    business_date,
    fund_pay_type,
    method,
    scheme_version,
    case_status,
    mdc,
    adrg,
    group_code,
    group_name,
    weight,
    coefficient,
    auxiliary_type,
    auxiliary_coefficient,
    cost_ratio,
    deviation_type,
    points,
    total_cost_amount,
    other_paid_amount,
    accrued_amount,
    booked_amount,
    explanation,
    explanation_en
from marts.fct_case_bookings
where
    settlement_month = %(month)s
    and area_code = coalesce(%(area_code)s, area_code)
order by
    area_code,
    fixmedins_code,
    setl_id
