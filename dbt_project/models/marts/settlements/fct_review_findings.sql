-- Findings of the review by fund, with the decision that counts and what the books have deducted.
with findings as (

    select * from {{ ref('int_findings__decided') }}

),

booked as (

    select * from {{ ref('int_findings__booked') }}

)

select
    findings.finding_id,
    findings.rule_code,
    findings.severity,
    findings.area_code,
    findings.fixmedins_code,
    findings.setl_id,
    findings.feedetl_sn,
    findings.fund_pay_type,
    findings.business_date,
    findings.found_on,
    findings.appeal_ends_on,
    findings.refused_inscp_amount,
    findings.amount_at_stake,
    coalesce(booked.booked_amount, 0)::numeric(18, 2) as deducted_amount,
    case
        when findings.decision = 'waive' then 'waived'
        when findings.decision = 'partial' then 'partly_confirmed'
        when findings.decision = 'confirm' then 'confirmed'
        when booked.booked_amount > 0 then 'deducted'
        else 'open'
    end as status,
    findings.evidence
from findings
left join booked
    on findings.finding_id = booked.finding_id
    and findings.fund_pay_type = booked.fund_pay_type
