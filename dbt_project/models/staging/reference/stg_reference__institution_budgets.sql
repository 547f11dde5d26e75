-- Dated budgets of institutions by fund.
select
    fixmedins_code,
    fund_pay_type,
    budget_year,
    amount as budget_amount,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'institution_budget') }}
