-- What risk rules noticed in runs for payment without stopping it; a hit that suspends stands in fct_suspensions.
{{
    config(
        materialized='period_replace',
        period_predicate='alerted_on = ' ~ pay_date() ~ ' and ' ~ in_run_area('area_code'),
        tags=['proposal'],
    )
}}
with hits as (

    select * from {{ ref('int_risk_hits__combined') }}
    where action = 'alert'

)

-- One row a day while the cause lasts: that nobody suspends is no reason to forget it.
select
    concat_ws(
        ':', hits.fixmedins_code, hits.rule_code, coalesce(hits.fund_pay_type, 'all'), {{ pay_date() }}
    ) as alert_id,
    hits.area_code,
    hits.fixmedins_code,
    hits.fund_pay_type,
    hits.rule_code,
    {{ pay_date() }} as alerted_on,
    hits.evidence
from hits
