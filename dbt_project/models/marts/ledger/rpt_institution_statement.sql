-- The month of an institution and fund: accepted, held, entitled daily, deducted, paid, and what is still payable.
with months as (

    select
        *,
        {{ settlement_month('business_date') }} as settlement_month
    from {{ ref('int_monthly_fund_totals') }}

),

payables as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month,
        sum(base_amount) filter (where hold_reason is not null) as held_amount,
        sum(entitled_amount) as entitled_amount
    from {{ ref('int_daily_payables') }}
    group by
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month

),

instructions as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month,
        sum(amount) filter (where status in ('instructed', 'paid')) as instructed_amount,
        sum(amount) filter (where status = 'paid') as paid_amount,
        sum(amount) filter (where status in ('rejected', 'returned')) as sent_back_amount
    from {{ ref('fct_payment_instructions') }}
    group by
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month

),

payable_lines as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month,
        sum(case when side = 'debit' then amount else -amount end) filter (where event in ('deducted', 'restored'))
            as deducted_amount,
        sum(case when side = 'credit' then amount else -amount end) as payable_balance_amount
    from {{ ref('fct_entry_lines') }}
    where account = 'payable_institution'
    group by
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month

),

-- A month may have a deduction or a payment and no settlement of its own: no source may hide another's row.
statements as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month
    from months
    union
    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month
    from payables
    union
    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month
    from instructions
    union
    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        settlement_month
    from payable_lines

)

select
    statements.area_code,
    statements.fixmedins_code,
    statements.fund_pay_type,
    statements.settlement_month,
    coalesce(months.fund_amount, 0)::numeric(18, 2) as accepted_amount,
    coalesce(payables.held_amount, 0)::numeric(18, 2) as held_amount,
    coalesce(payables.entitled_amount, 0)::numeric(18, 2) as entitled_amount,
    coalesce(payable_lines.deducted_amount, 0)::numeric(18, 2) as deducted_amount,
    coalesce(instructions.instructed_amount, 0)::numeric(18, 2) as instructed_amount,
    coalesce(instructions.paid_amount, 0)::numeric(18, 2) as paid_amount,
    coalesce(instructions.sent_back_amount, 0)::numeric(18, 2) as sent_back_amount,
    coalesce(payable_lines.payable_balance_amount, 0)::numeric(18, 2) as payable_balance_amount
from statements
left join months
    on statements.area_code = months.area_code
    and statements.fixmedins_code = months.fixmedins_code
    and statements.fund_pay_type = months.fund_pay_type
    and statements.settlement_month = months.settlement_month
left join payables
    on statements.area_code = payables.area_code
    and statements.fixmedins_code = payables.fixmedins_code
    and statements.fund_pay_type = payables.fund_pay_type
    and statements.settlement_month = payables.settlement_month
left join instructions
    on statements.area_code = instructions.area_code
    and statements.fixmedins_code = instructions.fixmedins_code
    and statements.fund_pay_type = instructions.fund_pay_type
    and statements.settlement_month = instructions.settlement_month
left join payable_lines
    on statements.area_code = payable_lines.area_code
    and statements.fixmedins_code = payable_lines.fixmedins_code
    and statements.fund_pay_type = payable_lines.fund_pay_type
    and statements.settlement_month = payable_lines.settlement_month
