-- Every suspension in the books with its lift, if it was lifted.
with events as (

    select * from {{ ref('stg_ledger__suspension_events') }}

)

select
    opened.suspension_id,
    opened.area_code,
    opened.fixmedins_code,
    opened.fund_pay_type,
    opened.rule_code,
    opened.event_date as opened_on,
    lifted.event_date as lifted_on,
    lifted.resumes_on,
    opened.evidence
from events as opened
left join events as lifted
    on opened.suspension_id = lifted.suspension_id
    and lifted.event = 'lifted'
where opened.event = 'opened'
