-- Keep the suspensions that the risk rules open and lift on the pay date.
insert into ledger.suspension_event (
    suspension_id, event, area_code, fixmedins_code, fund_pay_type, rule_code, event_date, resumes_on, evidence
)
select
    suspension_id, event, area_code, fixmedins_code, fund_pay_type, rule_code, event_date, resumes_on, evidence
from intermediate.int_suspensions_proposed
where area_code = %(area_code)s and event_date = %(pay_date)s
on conflict (suspension_id, event) do nothing
