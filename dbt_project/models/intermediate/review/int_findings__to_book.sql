-- Final deductions that the books do not carry yet, and those they carry too much of, on the pay date.
with findings as (

    select * from {{ ref('int_findings__decided') }}

),

entries as (

    select * from {{ ref('stg_ledger__entries') }}
    where event in ('deducted', 'restored')

),

entry_lines as (

    select * from {{ ref('stg_ledger__entry_lines') }}
    where account = 'payable_institution'

),

refunds as (

    select * from {{ ref('int_settlements__classified') }}
    where init_setl_id is not null

),

refund_funds as (

    select * from {{ ref('int_settlement_funds') }}

),

booked as (

    select
        entries.source_id as finding_id,
        entries.fund_pay_type,
        sum(case entry_lines.side when 'debit' then entry_lines.amount else -entry_lines.amount end) as booked_amount,
        count(*) as booking_count,
        max(entries.business_event_id) filter (where entries.event = 'deducted') as last_deduction_id
    from entries
    inner join entry_lines
        on entries.fixmedins_code = entry_lines.fixmedins_code
        and entries.business_event_id = entry_lines.business_event_id
    group by
        entries.source_id,
        entries.fund_pay_type

),

-- Clear findings that nobody decided on count once the window to appeal is over; decisions count at once.
final as (

    select
        findings.*,
        case
            when findings.decision is not null then findings.decided_amount
            when findings.severity = 'clear' and findings.appeal_ends_on < {{ pay_date() }}
                then findings.amount_at_stake
            else 0
        end as final_amount
    from findings
    where
        {{ pay_date() }} is not null
        and {{ in_run_area('findings.area_code') }}

),

open_differences as (

    select
        final.finding_id,
        final.fund_pay_type,
        final.rule_code,
        final.area_code,
        final.fixmedins_code,
        final.setl_id,
        final.feedetl_sn,
        final.final_amount,
        coalesce(booked.booked_amount, 0) as booked_amount,
        coalesce(booked.booking_count, 0) as booking_count,
        booked.last_deduction_id
    from final
    left join booked
        on final.finding_id = booked.finding_id
        and final.fund_pay_type = booked.fund_pay_type
    where final.final_amount <> coalesce(booked.booked_amount, 0)

),

-- A settlement that was taken back meanwhile has given its money back already.
refunded as (

    select
        open_differences.finding_id,
        open_differences.fund_pay_type
    from open_differences
    inner join refunds
        on open_differences.fixmedins_code = refunds.fixmedins_code
        and open_differences.setl_id = refunds.init_setl_id
    inner join refund_funds
        on refunds.fixmedins_code = refund_funds.fixmedins_code
        and refunds.setl_id = refund_funds.setl_id
        and refunds.business_date = refund_funds.business_date
        and open_differences.fund_pay_type = refund_funds.fund_pay_type
    group by
        open_differences.finding_id,
        open_differences.fund_pay_type

)

select
    open_differences.finding_id,
    open_differences.fund_pay_type,
    open_differences.rule_code,
    open_differences.area_code,
    open_differences.fixmedins_code,
    open_differences.setl_id,
    open_differences.feedetl_sn,
    open_differences.booking_count + 1 as booking_no,
    open_differences.last_deduction_id,
    (
        case when refunded.finding_id is null then open_differences.final_amount else 0 end
        - open_differences.booked_amount
    )::numeric(18, 2) as difference_amount
from open_differences
left join refunded
    on open_differences.finding_id = refunded.finding_id
    and open_differences.fund_pay_type = refunded.fund_pay_type
where refunded.finding_id is null or open_differences.booked_amount <> 0
