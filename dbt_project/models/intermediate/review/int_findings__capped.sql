-- Each finding and fund with the decision that counts, and what it would deduct now that some findings are waived.
with findings as not materialized (

    select * from {{ ref('int_findings__deducted') }}

),

decisions as not materialized (

    select * from {{ ref('int_review_decisions__effective') }}

),

waived as (

    select finding_id
    from decisions
    where decision = 'waive'

),

-- Only settlements with a waived finding are worked out anew, everywhere else the stored amounts hold. One of the same
-- id at another institution comes out as it is stored.
to_cap as (

    select
        findings.finding_id,
        findings.fund_pay_type,
        findings.rule_code,
        findings.fixmedins_code,
        findings.setl_id,
        findings.feedetl_sn,
        findings.line_inscp_amount,
        findings.refused_by_rule_amount,
        findings.settlement_inscp_amount,
        findings.fund_paid_amount,
        waived.finding_id is null as is_counted
    from findings
    left join waived
        on findings.finding_id = waived.finding_id
    where
        findings.setl_id in (
            select settlements.setl_id
            from findings as settlements
            inner join waived as waivers
                on settlements.finding_id = waivers.finding_id
        )

),

-- What is waived is not refused: it leaves to later findings what it would have taken from them.
capped as (

    {{ cap_findings('to_cap') }}

)

select
    findings.finding_id,
    findings.fund_pay_type,
    findings.rule_code,
    findings.severity,
    findings.area_code,
    findings.fixmedins_code,
    findings.setl_id,
    findings.feedetl_sn,
    findings.business_date,
    findings.found_on,
    coalesce(capped.refused_inscp_amount, findings.refused_inscp_amount) as refused_inscp_amount,
    coalesce(capped.amount_at_stake, findings.amount_at_stake) as amount_at_stake,
    findings.fund_paid_amount,
    findings.evidence,
    decisions.decision,
    decisions.stage,
    decisions.decided_date,
    decisions.decided_amount as partial_amount
from findings
left join decisions
    on findings.finding_id = decisions.finding_id
left join capped
    on findings.fixmedins_code = capped.fixmedins_code
    and findings.finding_id = capped.finding_id
    and findings.fund_pay_type = capped.fund_pay_type
