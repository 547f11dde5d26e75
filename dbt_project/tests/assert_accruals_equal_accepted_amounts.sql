-- What is proposed to be accrued is, fund by fund, what was accepted: an event without a posting rule in force would be
-- left out of the books without a word.
{{ config(tags=['proposal']) }}
with accepted as (

    select
        totals.area_code,
        totals.fund_pay_type,
        sum(totals.fund_amount) as amount
    from {{ ref('int_daily_fund_totals') }} as totals
    inner join {{ ref('int_batch_days__unaccrued') }} as unaccrued_days
        on totals.accepted_batch_id = unaccrued_days.accepted_batch_id
        and totals.business_date = unaccrued_days.business_date
    group by
        totals.area_code,
        totals.fund_pay_type

),

accrued as (

    select
        area_code,
        fund_pay_type,
        sum(case side when 'credit' then amount else -amount end) as amount
    from {{ ref('entry_accrued') }}
    where account = 'payable_institution'
    group by
        area_code,
        fund_pay_type

)

select
    accepted.area_code,
    accepted.fund_pay_type,
    accepted.amount as accepted_amount,
    accrued.amount as accrued_amount
from accepted
full outer join accrued
    on accepted.area_code = accrued.area_code
    and accepted.fund_pay_type = accrued.fund_pay_type
where coalesce(accepted.amount, 0) <> coalesce(accrued.amount, 0)
