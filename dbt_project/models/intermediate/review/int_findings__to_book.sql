-- Final deductions that the books do not carry yet, and those they carry too much of, on the pay date.
with findings as (

    select * from {{ ref('int_findings__decided') }}

),

booked as (

    select * from {{ ref('int_findings__booked') }}

),

settlements as (

    select * from {{ ref('stg_raw__settlements') }}

),

settlement_funds as (

    select * from {{ ref('int_settlement_funds') }}

),

unaccrued_days as (

    select * from {{ ref('int_batch_days__unaccrued') }}

),

-- Clear findings that nobody decided on count once the window to appeal is over; decisions count at once. A finding
-- that is in the books and exists no more (its lines were corrected) is final at nothing; its id says what it was.
final as (

    select
        coalesce(findings.finding_id, booked.finding_id) as finding_id,
        coalesce(findings.fund_pay_type, booked.fund_pay_type) as fund_pay_type,
        coalesce(findings.rule_code, split_part(booked.finding_id, ':', 2)) as rule_code,
        coalesce(findings.area_code, booked.area_code) as area_code,
        coalesce(findings.fixmedins_code, booked.fixmedins_code) as fixmedins_code,
        coalesce(findings.setl_id, split_part(booked.finding_id, ':', 3)) as setl_id,
        -- The id of a finding on a whole settlement ends with the settlement.
        coalesce(
            findings.feedetl_sn, nullif(regexp_replace(booked.finding_id, '^[^:]*:[^:]*:[^:]*:?', ''), '')
        ) as feedetl_sn,
        findings.fund_paid_amount,
        case
            when findings.finding_id is null then 0
            when findings.decision is not null then findings.decided_amount
            when findings.severity = 'clear' and findings.appeal_ends_on < {{ pay_date() }}
                then findings.amount_at_stake
            else 0
        end as final_amount,
        coalesce(booked.booked_amount, 0) as booked_amount,
        coalesce(booked.booking_count, 0) as booking_count,
        booked.last_deduction_id
    from findings
    full outer join booked
        on findings.finding_id = booked.finding_id
        and findings.fund_pay_type = booked.fund_pay_type
    where
        {{ pay_date() }} is not null
        and {{ in_run_area('coalesce(findings.area_code, booked.area_code)') }}
        -- A run for an earlier pay date would take back what the windows that have ended since made final.
        and not {{ is_paid_later('coalesce(findings.area_code, booked.area_code)') }}

),

-- Settlements to look at: where final and booked differ, and where a refund enters the books in this very run. What
-- was refunded earlier either left nothing to correct, or makes final and booked differ ever since.
in_question as (

    select
        fixmedins_code,
        setl_id
    from final
    where final_amount <> booked_amount
    union
    select
        settlements.fixmedins_code,
        settlements.init_setl_id as setl_id
    from settlements
    inner join unaccrued_days
        on settlements.accepted_batch_id = unaccrued_days.accepted_batch_id
        and settlements.business_date = unaccrued_days.business_date
    where
        settlements.init_setl_id is not null
        and settlements.business_date between
        (select min(first_days.business_date) from unaccrued_days as first_days)
        and (select max(last_days.business_date) from unaccrued_days as last_days)

),

-- Looked up by id, settlement by settlement: refunds of all history are never read.
refunds as (

    select
        settlement_funds.fixmedins_code,
        settlement_funds.init_setl_id as setl_id,
        settlement_funds.fund_pay_type,
        sum(settlement_funds.fund_amount) as refund_amount
    from settlement_funds
    where
        settlement_funds.init_setl_id = any(array(select in_question.setl_id from in_question))
        and settlement_funds.business_date < {{ pay_date() }}
    group by
        settlement_funds.fixmedins_code,
        settlement_funds.init_setl_id,
        settlement_funds.fund_pay_type

),

-- Refunds are negative: what the fund still pays for the settlement is what it paid and they left.
running as (

    select
        final.*,
        greatest(final.fund_paid_amount + coalesce(refunds.refund_amount, 0), 0) as net_paid_amount,
        sum(final.final_amount) over (
            partition by final.fixmedins_code, final.setl_id, final.fund_pay_type
            order by final.rule_code, final.feedetl_sn
            rows between unbounded preceding and current row
        ) as running_final_amount
    from final
    inner join in_question
        on final.fixmedins_code = in_question.fixmedins_code
        and final.setl_id = in_question.setl_id
    left join refunds
        on final.fixmedins_code = refunds.fixmedins_code
        and final.setl_id = refunds.setl_id
        and final.fund_pay_type = refunds.fund_pay_type

),

-- All findings of a settlement together never take more from a fund than that; the earlier rule code takes first.
capped as (

    select
        *,
        least(running_final_amount, net_paid_amount)
        - least(running_final_amount - final_amount, net_paid_amount) as deductible_amount
    from running

)

select
    finding_id,
    fund_pay_type,
    rule_code,
    area_code,
    fixmedins_code,
    setl_id,
    feedetl_sn,
    booking_count + 1 as booking_no,
    last_deduction_id,
    (deductible_amount - booked_amount)::numeric(18, 2) as difference_amount
from capped
where deductible_amount <> booked_amount
