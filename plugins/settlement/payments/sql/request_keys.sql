select distinct fund_pay_type, purpose
from intermediate.int_payment_proposals
where area_code = %(area_code)s and pay_date = %(pay_date)s and not is_suspended
order by fund_pay_type, purpose
