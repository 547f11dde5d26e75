-- The risk rules that act on the pay date in each area: the area's own row, else the default.
with areas as (

    select * from {{ ref('stg_reference__areas') }}

),

defaults as (

    select * from {{ ref('risk_rule_defaults') }}

),

risk_rules as (

    select * from {{ ref('stg_reference__risk_rules') }}

)

select
    areas.area_code,
    defaults.rule_code,
    coalesce(risk_rules.action, defaults.action) as action,
    coalesce(risk_rules.threshold, defaults.threshold) as threshold
from areas
cross join defaults
left join risk_rules
    on areas.area_code = risk_rules.area_code
    and defaults.rule_code = risk_rules.rule_code
    and {{ pay_date() }} between risk_rules.valid_from and risk_rules.valid_to
where
    {{ pay_date() }} between areas.valid_from and areas.valid_to
    and {{ pay_date() }} between defaults.valid_from and coalesce(defaults.valid_to, date 'infinity')
    and {{ in_run_area('areas.area_code') }}
