-- What each finding would deduct from each fund, never more than the fund paid for the settlement over all findings.
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

-- Two rules may refuse the same line: together never more than its insured amount, the earlier rule code first.
refused_so_far as (

    select
        *,
        sum(refused_inscp_amount) over (
            partition by fixmedins_code, setl_id, feedetl_sn
            order by rule_code
            rows between unbounded preceding and current row
        ) as running_refused_amount
    from findings

),

capped_by_line as (

    select
        *,
        least(running_refused_amount, line_inscp_amount)
        - least(running_refused_amount - refused_inscp_amount, line_inscp_amount) as refused_of_line_amount
    from refused_so_far

),

-- The fund's share of a refused line is its share of the settlement's insured amount.
shares as (

    select
        findings.finding_id,
        findings.rule_code,
        findings.severity,
        findings.area_code,
        findings.fixmedins_code,
        findings.setl_id,
        findings.feedetl_sn,
        findings.business_date,
        findings.refused_of_line_amount as refused_inscp_amount,
        findings.evidence,
        settlements.accepted_batch_id,
        findings.line_batch_id,
        settlement_funds.fund_pay_type,
        settlement_funds.fund_amount as fund_paid_amount,
        {{ yuan('findings.refused_of_line_amount * settlement_funds.fund_amount / settlements.inscp_scp_amt') }}
            as fund_share_amount
    from capped_by_line as findings
    inner join settlements
        on findings.fixmedins_code = settlements.fixmedins_code
        and findings.setl_id = settlements.setl_id
        and settlements.inscp_scp_amt > 0
    inner join settlement_funds
        on findings.fixmedins_code = settlement_funds.fixmedins_code
        and findings.setl_id = settlement_funds.setl_id
        and settlement_funds.fund_amount > 0

),

-- The earlier rule code takes first; what a later finding asks beyond what is left counts nothing.
running as (

    select
        *,
        sum(fund_share_amount) over (
            partition by fixmedins_code, setl_id, fund_pay_type
            order by rule_code, feedetl_sn
            rows between unbounded preceding and current row
        ) as running_share_amount
    from shares

)

select
    running.finding_id,
    running.fund_pay_type,
    running.rule_code,
    running.severity,
    running.area_code,
    running.fixmedins_code,
    running.setl_id,
    running.feedetl_sn,
    running.business_date,
    -- Whoever delivers the line late has the whole window to appeal all the same.
    greatest(batches.created_date, line_batches.created_date) as found_on,
    running.refused_inscp_amount::numeric(18, 2) as refused_inscp_amount,
    (
        least(running.running_share_amount, running.fund_paid_amount)
        - least(running.running_share_amount - running.fund_share_amount, running.fund_paid_amount)
    )::numeric(18, 2) as amount_at_stake,
    running.fund_paid_amount::numeric(18, 2) as fund_paid_amount,
    running.evidence,
    versions.day_version
from running
inner join batches
    on running.accepted_batch_id = batches.batch_id
left join batches as line_batches
    on running.line_batch_id = line_batches.batch_id
inner join versions
    on running.area_code = versions.area_code
    and running.business_date = versions.business_date
