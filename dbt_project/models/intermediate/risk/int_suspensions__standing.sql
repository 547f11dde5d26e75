-- Every suspension in the books with its lift, if it was lifted.
with events as (

    select * from {{ ref('stg_ledger__suspension_events') }}

)

select
    opened.suspension_id,
    opened.area_code,
    opened.fixmedins_code,
    opened.fixmedins_code = {{ area_party('opened.area_code') }} as is_of_area,
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
