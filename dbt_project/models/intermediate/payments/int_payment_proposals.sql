-- The daily payments that should be requested on the pay date, with everything the request needs to be judged by.
{{
    config(
        materialized='period_replace',
        period_predicate=in_run_area('area_code'),
        contract={'enforced': true},
        tags=['proposal'],
    )
}}
with due as (

    select * from {{ ref('int_payments__due') }}
    where due_amount > 0

),

working_days as (

    select * from {{ ref('working_days') }}
    where date = {{ pay_date() }} and is_working_day

),

suspended as (

    select * from {{ ref('int_institutions__suspended') }}

),

institutions as (

    select * from {{ ref('stg_reference__institutions') }}

),

agreement_statuses as (

    select * from {{ ref('agreement_statuses') }}

),

bank_accounts as (

    select * from {{ ref('stg_reference__bank_accounts') }}

),

replaceable as (

    select * from {{ ref('int_instructions__replaceable') }}

),

flagged_payees as (

    select * from {{ ref('int_payees__flagged') }}

),

cash_plans as (

    select * from {{ ref('int_cash_plans__used') }}

),

areas as (

    select * from {{ ref('stg_reference__areas') }}

),

-- Suspended for one fund or for all, itself or with its whole area.
suspensions as (

    select
        due.fixmedins_code,
        due.fund_pay_type,
        string_agg(distinct suspended.suspended_by, ',' order by suspended.suspended_by) as suspended_by
    from due
    inner join suspended
        on suspended.fixmedins_code in (due.fixmedins_code, {{ area_party('due.area_code') }})
        and due.fund_pay_type = coalesce(suspended.fund_pay_type, due.fund_pay_type)
    group by
        due.fixmedins_code,
        due.fund_pay_type

)

select
    due.area_code,
    due.fund_pay_type,
    due.fixmedins_code,
    due.settlement_month,
    working_days.date as pay_date,
    'daily' as purpose,
    due.due_amount,
    suspensions.fixmedins_code is not null as is_suspended,
    suspensions.suspended_by,
    nullif(
        concat_ws(
            ',',
            agreement_statuses.payment_flag,
            flagged_payees.flag,
            case when replaceable.is_disputed then 'replaces_disputed' end
        ),
        ''
    ) as flag,
    replaceable.instruction_id as replaces_instruction_id,
    bank_accounts.account_no is not null as has_account,
    bank_accounts.account_name,
    bank_accounts.account_no,
    bank_accounts.bank_code,
    {{ settlement_month('working_days.date') }} as plan_month,
    coalesce(cash_plans.plan_amount, 0)::numeric(18, 2) as plan_amount,
    coalesce(cash_plans.reserve_amount, 0)::numeric(18, 2) as reserve_amount,
    coalesce(cash_plans.used_amount, 0)::numeric(18, 2) as used_before_amount,
    least(coalesce(cash_plans.used_amount, 0), coalesce(cash_plans.plan_amount, 0))::numeric(18, 2)
        as plan_used_before_amount,
    least(
        greatest(coalesce(cash_plans.used_amount, 0) - coalesce(cash_plans.plan_amount, 0), 0),
        coalesce(cash_plans.reserve_amount, 0)
    )::numeric(18, 2) as reserve_used_before_amount,
    coalesce(areas.approval_threshold_amount, 0)::numeric(18, 2) as approval_threshold_amount
from due
cross join working_days
left join suspensions
    on due.fixmedins_code = suspensions.fixmedins_code
    and due.fund_pay_type = suspensions.fund_pay_type
left join institutions
    on due.fixmedins_code = institutions.fixmedins_code
    and working_days.date between institutions.valid_from and institutions.valid_to
left join agreement_statuses
    on institutions.agreement_status = agreement_statuses.agreement_status
    and working_days.date between agreement_statuses.valid_from
    and coalesce(agreement_statuses.valid_to, date 'infinity')
left join bank_accounts
    on due.fixmedins_code = bank_accounts.fixmedins_code
    and working_days.date between bank_accounts.valid_from and bank_accounts.valid_to
left join flagged_payees
    on due.fixmedins_code = flagged_payees.fixmedins_code
left join replaceable
    on due.area_code = replaceable.area_code
    and due.fixmedins_code = replaceable.fixmedins_code
    and due.fund_pay_type = replaceable.fund_pay_type
    and due.settlement_month = replaceable.settlement_month
left join cash_plans
    on due.area_code = cash_plans.area_code
    and due.fund_pay_type = cash_plans.fund_pay_type
left join areas
    on due.area_code = areas.area_code
    and working_days.date between areas.valid_from and areas.valid_to
-- Pay dates go forward: once an area has been paid on this date or a later one, nothing new is proposed for it.
where not {{ is_paid_already('due.area_code') }}
