select rule_code, feedetl_sn, fund_pay_type, severity, amount_at_stake, deducted_amount, status, finding_id
from marts.fct_review_findings
where setl_id = %(setl_id)s and fixmedins_code = %(fixmedins_code)s
order by rule_code, feedetl_sn, fund_pay_type
