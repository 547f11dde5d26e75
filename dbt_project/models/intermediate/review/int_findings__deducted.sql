-- What each finding would deduct from each fund while nothing is waived, and what that follows from.
{{
    config(
        materialized='period_replace',
        period_versions='int_reviewable_days__versioned',
        contract={'enforced': true},
        indexes=[{'columns': ['business_date', 'area_code']}],
        tags=['proposal'],
    )
}}
with touched_days as (

    {{ touched_days(ref('int_reviewable_days__versioned')) }}

),

versions as (

    select * from {{ ref('int_reviewable_days__versioned') }}

),

findings as (

    select *
    from {{ ref('int_findings__combined') }} as findings
    where {{ on_touched_days('findings') }}

),

settlements as (

    select *
    from {{ ref('int_settlements__classified') }} as settlements
    where {{ on_touched_days('settlements') }}

),

settlement_funds as (

    select *
    from {{ ref('int_settlement_funds') }} as settlement_funds
    where {{ on_touched_days('settlement_funds') }}

),

batches as (

    select * from {{ ref('stg_intake__batches') }}

),

findings_of_funds as (

    select
        findings.finding_id,
        findings.rule_code,
        findings.severity,
        findings.area_code,
        findings.fixmedins_code,
        findings.setl_id,
        findings.feedetl_sn,
        findings.business_date,
        findings.line_inscp_amount,
        findings.refused_inscp_amount as refused_by_rule_amount,
        findings.evidence,
        settlements.accepted_batch_id,
        findings.line_batch_id,
        settlements.inscp_scp_amt as settlement_inscp_amount,
        settlement_funds.fund_pay_type,
        settlement_funds.fund_amount as fund_paid_amount,
        true as is_counted
    from findings
    inner join settlements
        on findings.fixmedins_code = settlements.fixmedins_code
        and findings.setl_id = settlements.setl_id
        and settlements.inscp_scp_amt > 0
    inner join settlement_funds
        on findings.fixmedins_code = settlement_funds.fixmedins_code
        and findings.setl_id = settlement_funds.setl_id
        and settlement_funds.fund_amount > 0

),

capped as (

    {{ cap_findings('findings_of_funds') }}

)

select
    capped.finding_id,
    capped.fund_pay_type,
    capped.rule_code,
    capped.severity,
    capped.area_code,
    capped.fixmedins_code,
    capped.setl_id,
    capped.feedetl_sn,
    capped.business_date,
    -- Whoever delivers the line late has the whole window to appeal all the same.
    greatest(batches.created_date, line_batches.created_date) as found_on,
    capped.line_inscp_amount::numeric(18, 2) as line_inscp_amount,
    capped.refused_by_rule_amount::numeric(18, 2) as refused_by_rule_amount,
    capped.settlement_inscp_amount::numeric(18, 2) as settlement_inscp_amount,
    capped.refused_inscp_amount,
    capped.amount_at_stake,
    capped.fund_paid_amount::numeric(18, 2) as fund_paid_amount,
    capped.evidence,
    versions.day_version
from capped
inner join batches
    on capped.accepted_batch_id = batches.batch_id
left join batches as line_batches
    on capped.line_batch_id = line_batches.batch_id
inner join versions
    on capped.area_code = versions.area_code
    and capped.business_date = versions.business_date
