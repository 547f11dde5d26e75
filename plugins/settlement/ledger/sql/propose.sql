-- Take down what the relation offers for one area, once: a view read twice could give two answers.
create temporary table posting_proposal on commit drop as
select
    fixmedins_code,
    business_event_id,
    event,
    area_code,
    fund_pay_type,
    accounting_date,
    settlement_month,
    source_id,
    reverses_event_id,
    row_number() over (partition by fixmedins_code, business_event_id order by side desc, account)::smallint as line_no,
    side,
    account,
    amount::numeric as amount
from {relation}
where area_code = %(area_code)s
