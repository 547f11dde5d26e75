-- What the books have deducted for each finding and fund, net of what they restored.
with entries as (

    select * from {{ ref('stg_ledger__entries') }}
    where event in ('deducted', 'restored')

),

entry_lines as (

    select * from {{ ref('stg_ledger__entry_lines') }}
    where account = 'payable_institution'

)

select
    entries.source_id as finding_id,
    entries.fund_pay_type,
    entries.area_code,
    entries.fixmedins_code,
    sum(case entry_lines.side when 'debit' then entry_lines.amount else -entry_lines.amount end)::numeric(18, 2)
        as booked_amount,
    count(*) as booking_count,
    max(entries.business_event_id) filter (where entries.event = 'deducted') as last_deduction_id
from entries
inner join entry_lines
    on entries.fixmedins_code = entry_lines.fixmedins_code
    and entries.business_event_id = entry_lines.business_event_id
group by
    entries.source_id,
    entries.fund_pay_type,
    entries.area_code,
    entries.fixmedins_code
