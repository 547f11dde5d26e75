-- K2: the agreement is not in a status that is paid, or there is none on the pay date.
with institutions as (

    select * from {{ ref('stg_reference__institutions') }}

),

agreement_statuses as (

    select * from {{ ref('agreement_statuses') }}

),

rules as (

    select * from {{ ref('int_risk_rules__in_force') }}
    where rule_code = 'K2'

),

-- An institution keeps its row in force, or else the last one it had.
newest_rows as (

    select distinct on (fixmedins_code)
        fixmedins_code,
        area_code,
        valid_to,
        case when {{ pay_date() }} <= valid_to then agreement_status else 'ended' end as agreement_status
    from institutions
    where valid_from <= {{ pay_date() }}
    order by
        fixmedins_code asc,
        valid_from desc

)

select
    newest_rows.area_code,
    newest_rows.fixmedins_code,
    null::text as fund_pay_type,
    rules.rule_code,
    rules.action,
    jsonb_build_object('agreement_status', newest_rows.agreement_status) as evidence
from newest_rows
inner join rules
    on newest_rows.area_code = rules.area_code
left join agreement_statuses
    on newest_rows.agreement_status = agreement_statuses.agreement_status
    and {{ pay_date() }} between agreement_statuses.valid_from
    and coalesce(agreement_statuses.valid_to, date 'infinity')
where not coalesce(agreement_statuses.is_paid, false)
