-- Suspensions to open, because a rule hits, and to lift, because its cause is gone; the poster keeps them.
{{
    config(
        materialized='period_replace',
        period_predicate=in_run_area('area_code'),
        contract={'enforced': true},
        tags=['proposal'],
    )
}}
with hits as (

    select * from {{ ref('int_risk_hits__combined') }}
    where action = 'suspend'

),

open_suspensions as (

    select * from {{ ref('int_suspensions__standing') }}
    where lifted_on is null and {{ in_run_area('area_code') }}

),

judged_rules as (

    select * from {{ ref('int_risk_rules__in_force') }}

),

to_open as (

    select
        concat_ws(
            ':', hits.fixmedins_code, hits.rule_code, coalesce(hits.fund_pay_type, 'all'), {{ pay_date() }}
        ) as suspension_id,
        'opened' as event,
        hits.area_code,
        hits.fixmedins_code,
        hits.fund_pay_type,
        hits.rule_code,
        null::date as resumes_on,
        hits.evidence
    from hits
    left join open_suspensions
        on hits.fixmedins_code = open_suspensions.fixmedins_code
        and hits.rule_code = open_suspensions.rule_code
        and hits.fund_pay_type is not distinct from open_suspensions.fund_pay_type
    where open_suspensions.suspension_id is null

),

-- Payment resumes on the first day of the month after the lift (次月恢复).
to_lift as (

    select
        open_suspensions.suspension_id,
        'lifted' as event,
        open_suspensions.area_code,
        open_suspensions.fixmedins_code,
        open_suspensions.fund_pay_type,
        open_suspensions.rule_code,
        (date_trunc('month', {{ pay_date() }}) + interval '1 month')::date as resumes_on,
        jsonb_build_object('cause', 'gone') as evidence
    from open_suspensions
    inner join judged_rules
        on open_suspensions.area_code = judged_rules.area_code
        and open_suspensions.rule_code = judged_rules.rule_code
    left join hits
        on open_suspensions.fixmedins_code = hits.fixmedins_code
        and open_suspensions.rule_code = hits.rule_code
        and open_suspensions.fund_pay_type is not distinct from hits.fund_pay_type
    where hits.rule_code is null

),

proposed as (

    select * from to_open
    union all
    select * from to_lift

)

select
    proposed.suspension_id,
    proposed.event,
    proposed.area_code,
    proposed.fixmedins_code,
    proposed.fund_pay_type,
    proposed.rule_code,
    {{ pay_date() }} as event_date,
    proposed.resumes_on,
    proposed.evidence
from proposed
-- Pay dates go forward: a run for an earlier date opens and lifts nothing any more.
where not {{ is_paid_already('proposed.area_code') }}
