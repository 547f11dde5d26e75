-- What each fund pays for each accepted settlement; refunds are negative.
select
    setl_id,
    fund_pay_type,
    fund_amount as amount,
    business_date,
    fixmedins_code,
    area_code,
    care_class
from {{ ref('int_settlement_funds') }}
