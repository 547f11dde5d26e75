-- What institutions are entitled to be paid daily; what reconciliation holds stands in rows of its own.
select
    fixmedins_code,
    fund_pay_type,
    care_class,
    business_date,
    area_code,
    settlement_month,
    base_amount,
    mode,
    frequency,
    rate,
    entitled_amount,
    payable_from,
    hold_reason
from {{ ref('int_daily_payables') }}
