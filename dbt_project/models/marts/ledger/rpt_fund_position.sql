-- Where each fund stands at the end of every day on which something was booked.
with balances as (

    select * from {{ ref('rpt_trial_balance') }}

),

days as (

    select
        area_code,
        fund_pay_type,
        accounting_date,
        coalesce(sum(debit_minus_credit_amount) filter (where account = 'benefit_expense'), 0) as expense_amount,
        coalesce(sum(debit_minus_credit_amount) filter (where account = 'payable_institution'), 0) as payable_change,
        coalesce(sum(debit_minus_credit_amount) filter (where account = 'payment_in_transit'), 0) as transit_change,
        coalesce(sum(debit_minus_credit_amount) filter (where account = 'expenditure_account'), 0) as bank_change
    from balances
    group by
        area_code,
        fund_pay_type,
        accounting_date

)

select
    area_code,
    fund_pay_type,
    accounting_date,
    expense_amount::numeric(18, 2) as expense_amount,
    (-bank_change)::numeric(18, 2) as paid_amount,
    sum(expense_amount) over to_date::numeric(18, 2) as expense_to_date_amount,
    (-sum(payable_change) over to_date)::numeric(18, 2) as payable_balance_amount,
    (-sum(transit_change) over to_date)::numeric(18, 2) as in_transit_balance_amount,
    (-sum(bank_change) over to_date)::numeric(18, 2) as paid_to_date_amount
from days
window to_date as (
    partition by area_code, fund_pay_type
    order by accounting_date
    rows between unbounded preceding and current row
)
