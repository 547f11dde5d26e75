-- What the institution is entitled to for the settlement's day and care class, by fund.
select
    payables.fund_pay_type, payables.care_class, payables.business_date, payables.base_amount, payables.mode,
    payables.rate, payables.entitled_amount, payables.payable_from, payables.hold_reason
from marts.fct_daily_payables as payables
inner join marts.fct_settlement_funds as funds
    on payables.fixmedins_code = funds.fixmedins_code
    and payables.fund_pay_type = funds.fund_pay_type
    and payables.care_class = funds.care_class
    and payables.business_date = funds.business_date
where
    funds.setl_id = %(setl_id)s
    and funds.fixmedins_code = %(fixmedins_code)s
    and funds.business_date = %(business_date)s
order by payables.fund_pay_type, payables.hold_reason nulls first
