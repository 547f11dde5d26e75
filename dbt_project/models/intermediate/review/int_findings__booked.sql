-- What the books have deducted for each finding and fund, net of what they restored.
with movements as (

    {{ payable_movements(['deducted', 'restored']) }}

)

select
    source_id as finding_id,
    fund_pay_type,
    area_code,
    fixmedins_code,
    (-sum(payable_amount))::numeric(18, 2) as booked_amount,
    count(*) as booking_count,
    max(business_event_id) filter (where event = 'deducted') as last_deduction_id
from movements
group by
    source_id,
    fund_pay_type,
    area_code,
    fixmedins_code
