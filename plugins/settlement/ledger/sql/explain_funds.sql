select fund_pay_type, amount
from marts.fct_settlement_funds
where setl_id = %(setl_id)s and fixmedins_code = %(fixmedins_code)s and business_date = %(business_date)s
order by fund_pay_type
