-- The trial balance is zero per area, fund and day: a line that went missing between ledger and mart would show here.
{{ config(tags=['publication']) }}
select
    area_code,
    fund_pay_type,
    accounting_date,
    sum(debit_minus_credit_amount) as difference_amount
from {{ ref('rpt_trial_balance') }}
group by
    area_code,
    fund_pay_type,
    accounting_date
having sum(debit_minus_credit_amount) <> 0
