-- The expenditure account a fund is paid from: its own, else the one for all funds of the area.
select account_name, account_no, bank_code
from reference.fund_account
where
    area_code = %(area_code)s
    and coalesce(fund_pay_type, %(fund_pay_type)s) = %(fund_pay_type)s
    and %(pay_date)s between valid_from and coalesce(valid_to, date 'infinity')
order by fund_pay_type nulls last
limit 1
