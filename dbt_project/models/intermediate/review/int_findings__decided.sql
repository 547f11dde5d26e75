-- Each finding and fund with the decision that counts, what that decision deducts, and the end of the appeal window.
with findings as (

    select * from {{ ref('int_findings__capped') }}

),

working_days as (

    select * from {{ ref('int_working_days__numbered') }}

),

settings as (

    select * from {{ ref('settings') }}
    where setting = 'appeal_window'

),

-- A finding on a whole settlement refuses nothing by itself: what a person may take of it is what the fund paid.
deductible as (

    select
        findings.*,
        case when feedetl_sn is null then fund_paid_amount else amount_at_stake end as deductible_amount
    from findings

),

-- A partial decision names one amount for the finding, and never more than is at stake.
partial as (

    select
        findings.finding_id,
        findings.fund_pay_type,
        findings.deductible_amount,
        sum(findings.deductible_amount) over funds_of_finding as at_stake_amount,
        least(findings.partial_amount, sum(findings.deductible_amount) over funds_of_finding) as total_amount
    from deductible as findings
    where findings.decision = 'partial'
    window funds_of_finding as (partition by findings.finding_id)

),

divisible as (

    select * from partial
    where at_stake_amount > 0

),

parts as (

    {{ split_by_largest_remainder('divisible', 'total_amount', 'deductible_amount', 'finding_id', 'fund_pay_type') }}

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
    findings.refused_inscp_amount,
    findings.amount_at_stake,
    findings.fund_paid_amount,
    findings.evidence,
    findings.decision,
    findings.stage,
    findings.decided_date,
    appeal_ends.date as appeal_ends_on,
    case findings.decision
        when 'confirm' then findings.amount_at_stake
        when 'partial' then coalesce(parts.share_amount, 0)
        when 'waive' then 0
    end::numeric(18, 2) as decided_amount
from findings
left join parts
    on findings.finding_id = parts.finding_id
    and findings.fund_pay_type = parts.fund_pay_type
left join settings
    on findings.found_on between settings.valid_from and coalesce(settings.valid_to, date 'infinity')
left join working_days as found_days
    on findings.found_on = found_days.date
-- A window that ends in a year whose calendar is not published has no end yet: the finding waits, nothing is guessed.
left join working_days as appeal_ends
    on appeal_ends.is_working_day
    and appeal_ends.working_day_number = found_days.working_day_number + settings.value
