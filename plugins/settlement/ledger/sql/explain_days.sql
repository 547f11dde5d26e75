-- The business dates the instruction settles, with what each entitles to and how many settlements stand behind it.
with days as (

    select
        business_date,
        sum(base_amount) as base_amount,
        sum(entitled_amount) as entitled_amount
    from marts.fct_daily_payables
    where
        fixmedins_code = %(fixmedins_code)s
        and fund_pay_type = %(fund_pay_type)s
        and settlement_month = %(settlement_month)s
        and payable_from <= %(pay_date)s
    group by business_date

)

select
    days.business_date,
    days.base_amount,
    days.entitled_amount,
    (
        select count(*)
        from marts.fct_settlement_funds as funds
        where funds.fixmedins_code = %(fixmedins_code)s
            and funds.fund_pay_type = %(fund_pay_type)s
            and funds.business_date = days.business_date
    ) as settlement_count
from days
order by days.business_date
