-- The published trial balance holds every line of the books: a posting run that was skipped would show here.
{{ config(tags=['audit']) }}
with published as (

    select
        area_code,
        fund_pay_type,
        account,
        sum(debit_amount) as debit_amount,
        sum(credit_amount) as credit_amount
    from {{ ref('rpt_trial_balance') }}
    group by
        area_code,
        fund_pay_type,
        account

),

booked as (

    select
        area_code,
        fund_pay_type,
        account,
        coalesce(sum(amount) filter (where side = 'debit'), 0) as debit_amount,
        coalesce(sum(amount) filter (where side = 'credit'), 0) as credit_amount
    from {{ ref('fct_entry_lines') }}
    group by
        area_code,
        fund_pay_type,
        account

)

select
    booked.area_code,
    booked.fund_pay_type,
    booked.account
from booked
full outer join published
    on booked.area_code = published.area_code
    and booked.fund_pay_type = published.fund_pay_type
    and booked.account = published.account
where
    booked.debit_amount is distinct from published.debit_amount
    or booked.credit_amount is distinct from published.credit_amount
