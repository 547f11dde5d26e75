-- Dated budgets of areas by fund and care class.
select
    area_code,
    fund_pay_type,
    budget_year,
    care_class,
    amount as budget_amount,
    coalesce(risk_reserve_rate, 0) as risk_reserve_rate,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'fund_budget') }}
