-- Dated cash plans by fund and month.
select
    area_code,
    fund_pay_type,
    plan_month,
    amount as plan_amount,
    coalesce(reserve_amount, 0) as reserve_amount,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'cash_plan') }}
