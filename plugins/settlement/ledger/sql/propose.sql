-- Take down what the relation offers for one area, once: a view read twice could give two answers. Each line is held
-- against the one before it in its event: the same side and account again would pass the balance check with twice the
-- amount, and an event has one institution, one date, one fund, one source. Lines lie in the order of the canonical
-- text, which is also the order in which the indexes of the books take them fastest.
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
    row_number() over lines_of_event::smallint as line_no,
    side,
    account,
    amount::numeric(18, 2) as amount,
    amount <= 0 or amount <> round(amount, 2) or side not in ('debit', 'credit') as is_invalid,
    coalesce(
        side = lag(side) over lines_of_event and account = lag(account) over lines_of_event, false
    ) as is_repeated,
    coalesce(
        fixmedins_code <> lag(fixmedins_code) over lines_of_event
        or event <> lag(event) over lines_of_event
        or fund_pay_type <> lag(fund_pay_type) over lines_of_event
        or accounting_date <> lag(accounting_date) over lines_of_event
        or settlement_month <> lag(settlement_month) over lines_of_event
        or source_id <> lag(source_id) over lines_of_event
        or coalesce(reverses_event_id, '') <> lag(coalesce(reverses_event_id, '')) over lines_of_event,
        false
    ) as is_inconsistent
from {relation}
where area_code = %(area_code)s
window lines_of_event as (partition by business_event_id collate "C" order by side desc, account)
