-- Declared totals against accepted ones: whoever declared or was accepted has a row, and what differs is held.
{{
    config(
        materialized='period_replace',
        period_versions='int_reconcilable_days__versioned',
        contract={'enforced': true},
        indexes=[{'columns': ['business_date', 'area_code']}, {'columns': ['period_end_date']}],
        tags=['reconciliation', 'proposal'],
    )
}}
with days_to_replace as (

    {{ touched_days(ref('int_reconcilable_days__versioned')) }}

),

versions as (

    select * from {{ ref('int_reconcilable_days__versioned') }}

),

-- A day that needs no declaration is deleted like the others, and nothing takes its place.
touched_days as (

    select
        days_to_replace.area_code,
        days_to_replace.business_date
    from days_to_replace
    inner join versions
        on days_to_replace.area_code = versions.area_code
        and days_to_replace.business_date = versions.business_date
    where versions.is_declaration_required

),

totals as (

    select * from {{ ref('int_settlements__totalled') }}

),

-- A declaration stands on the first day of its period.
declarations as (

    select
        *,
        period_begin_date as business_date
    from {{ ref('int_declarations__effective') }}

),

declared as (

    select *
    from declarations
    where {{ on_touched_days('declarations') }}

),

-- A declared period is compared as a whole, also where nothing but its first day is touched.
compared_days as (

    select
        business_date,
        business_date as last_date
    from touched_days
    union all
    select
        business_date,
        period_end_date as last_date
    from declared

),

-- A day that two declared periods cover is added up for each of them.
accepted as (

    select
        totals.fixmedins_code,
        totals.insutype,
        totals.clr_type,
        coalesce(declarations.period_begin_date, totals.business_date) as business_date,
        coalesce(declarations.period_end_date, totals.business_date) as period_end_date,
        totals.area_code,
        sum(totals.settlement_count)::integer as settlement_count,
        sum(totals.medfee_amount) as medfee_amount,
        sum(totals.fund_pay_amount) as fund_pay_amount,
        sum(totals.acct_pay) as account_pay_amount
    from totals
    left join declarations
        on totals.fixmedins_code = declarations.fixmedins_code
        and totals.insutype = declarations.insutype
        and totals.clr_type = declarations.clr_type
        and totals.business_date between declarations.period_begin_date and declarations.period_end_date
    where
        (totals.area_code, coalesce(declarations.period_begin_date, totals.business_date)) in (
            select area_code, business_date from touched_days
        )
        and totals.business_date between
        (select min(compared_days.business_date) from compared_days)
        and (select max(compared_days.last_date) from compared_days)
    group by
        totals.fixmedins_code,
        totals.insutype,
        totals.clr_type,
        coalesce(declarations.period_begin_date, totals.business_date),
        coalesce(declarations.period_end_date, totals.business_date),
        totals.area_code

),

compared as (

    select
        coalesce(accepted.fixmedins_code, declared.fixmedins_code) as fixmedins_code,
        coalesce(accepted.insutype, declared.insutype) as insutype,
        coalesce(accepted.clr_type, declared.clr_type) as clr_type,
        coalesce(accepted.business_date, declared.business_date) as business_date,
        coalesce(accepted.period_end_date, declared.period_end_date) as period_end_date,
        coalesce(accepted.area_code, declared.area_code) as area_code,
        declared.accepted_batch_id as declaration_batch_id,
        declared.load_id as declaration_load_id,
        coalesce(declared.settlement_count, 0) as declared_settlement_count,
        coalesce(declared.medfee_amount, 0) as declared_medfee_amount,
        coalesce(declared.fund_pay_amount, 0) as declared_fund_pay_amount,
        coalesce(declared.account_pay_amount, 0) as declared_account_pay_amount,
        coalesce(accepted.settlement_count, 0) as accepted_settlement_count,
        coalesce(accepted.medfee_amount, 0) as accepted_medfee_amount,
        coalesce(accepted.fund_pay_amount, 0) as accepted_fund_pay_amount,
        coalesce(accepted.account_pay_amount, 0) as accepted_account_pay_amount
    from accepted
    full outer join declared
        on accepted.fixmedins_code = declared.fixmedins_code
        and accepted.insutype = declared.insutype
        and accepted.clr_type = declared.clr_type
        and accepted.business_date = declared.business_date
        and accepted.period_end_date = declared.period_end_date

),

-- What the centre has more than the institution declared.
excesses as (

    select
        *,
        accepted_settlement_count - declared_settlement_count as count_excess,
        accepted_medfee_amount - declared_medfee_amount as medfee_excess,
        accepted_fund_pay_amount - declared_fund_pay_amount as fund_pay_excess,
        accepted_account_pay_amount - declared_account_pay_amount as account_pay_excess
    from compared

),

extremes as (

    select
        *,
        least(count_excess, medfee_excess, fund_pay_excess, account_pay_excess) as least_excess,
        greatest(count_excess, medfee_excess, fund_pay_excess, account_pay_excess) as greatest_excess
    from excesses

),

judged as (

    select
        *,
        case
            when declaration_load_id is null then 1
            when least_excess = 0 and greatest_excess = 0 then 0
            when least_excess >= 0 then 1
            when greatest_excess <= 0 then 2
            else 3
        end as stmt_rslt
    from extremes

)

select
    judged.fixmedins_code,
    judged.insutype,
    judged.clr_type,
    judged.business_date,
    judged.period_end_date,
    judged.area_code,
    judged.declared_settlement_count,
    judged.declared_medfee_amount,
    judged.declared_fund_pay_amount,
    judged.declared_account_pay_amount,
    judged.accepted_settlement_count,
    judged.accepted_medfee_amount,
    judged.accepted_fund_pay_amount,
    judged.accepted_account_pay_amount,
    judged.stmt_rslt,
    judged.stmt_rslt <> 0 as is_held,
    judged.declaration_batch_id,
    judged.declaration_load_id,
    versions.day_version
from judged
inner join versions
    on judged.area_code = versions.area_code
    and judged.business_date = versions.business_date
