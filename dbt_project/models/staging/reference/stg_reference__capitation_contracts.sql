-- Dated capitation contracts of institutions.
select
    area_code,
    fixmedins_code,
    fund_pay_type,
    budget_year,
    age_band,
    heads,
    head_amount,
    risk_weight,
    paid_monthly_rate,
    document,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'capitation_contract') }}
