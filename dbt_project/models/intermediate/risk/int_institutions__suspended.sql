-- Who gets no daily payment on the pay date, by which rules: suspensions in the books and those proposed now.
with standing as (

    select * from {{ ref('int_suspensions__standing') }}

),

proposed as (

    select * from {{ ref('int_suspensions_proposed') }}

),

in_force as (

    select
        standing.fixmedins_code,
        standing.fund_pay_type,
        standing.rule_code
    from standing
    where
        standing.opened_on <= {{ pay_date() }}
        and {{ pay_date() }} < coalesce(standing.resumes_on, date 'infinity')
    union
    select
        proposed.fixmedins_code,
        proposed.fund_pay_type,
        proposed.rule_code
    from proposed
    where proposed.event = 'opened'

)

select
    fixmedins_code,
    fund_pay_type,
    string_agg(rule_code, ',' order by rule_code) as suspended_by
from in_force
group by
    fixmedins_code,
    fund_pay_type
