-- Restore what an appeal or a later decision has won back: benefit expense against the payable.
{{
    config(
        materialized='period_replace',
        period_predicate=in_run_area('area_code'),
        tags=['proposal'],
    )
}}
with differences as (

    select * from {{ ref('int_findings__to_book') }}
    where difference_amount < 0

),

-- Deductions enter the books in the month in which they become final, also for settlements already paid.
events as (

    select
        concat_ws(
            ':', fixmedins_code, 'restored', rule_code, setl_id, feedetl_sn, fund_pay_type, booking_no
        ) as business_event_id,
        area_code,
        fixmedins_code,
        fund_pay_type,
        {{ pay_date() }} as event_date,
        {{ settlement_month(pay_date()) }} as settlement_month,
        -difference_amount as adjustment_amount,
        finding_id as source_id,
        last_deduction_id as reverses_event_id
    from differences

)

{{ entry_lines('restored', 'events') }}
