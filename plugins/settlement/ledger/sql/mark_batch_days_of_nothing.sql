-- Batch days whose amounts come to nothing for every institution and fund have no entry that could mark them. They
-- are marked here, or each later run would look through their totals again.
insert into ledger.accrued_batch_day (accepted_batch_id, business_date, area_code)
select
    unaccrued_days.accepted_batch_id,
    unaccrued_days.business_date,
    unaccrued_days.area_code
from intermediate.int_batch_days__unaccrued as unaccrued_days
where
    unaccrued_days.area_code = %(area_code)s
    and not exists (
        select
        from intermediate.int_daily_fund_totals as totals
        where totals.accepted_batch_id = unaccrued_days.accepted_batch_id
            and totals.business_date = unaccrued_days.business_date
        group by totals.fixmedins_code, totals.fund_pay_type
        having sum(totals.fund_amount) <> 0
    )
on conflict (accepted_batch_id, business_date) do nothing
