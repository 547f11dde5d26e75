-- The payable of an institution and fund is accrued − deducted + restored − instructed (neither rejected nor returned):
-- instructions and books would drift apart if one were written without the other.
{{ config(tags=['audit']) }}
with payables as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        sum(case side when 'credit' then amount else -amount end) as payable_amount
    from {{ ref('fct_entry_lines') }}
    where account = 'payable_institution'
    group by
        area_code,
        fixmedins_code,
        fund_pay_type

),

expenses as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        sum(case side when 'debit' then amount else -amount end) as expense_amount
    from {{ ref('fct_entry_lines') }}
    where account = 'benefit_expense'
    group by
        area_code,
        fixmedins_code,
        fund_pay_type

),

instructions as (

    select
        area_code,
        fixmedins_code,
        fund_pay_type,
        sum(amount) as instructed_amount
    from {{ ref('fct_payment_instructions') }}
    where status in ('instructed', 'paid')
    group by
        area_code,
        fixmedins_code,
        fund_pay_type

)

select
    payables.area_code,
    payables.fixmedins_code,
    payables.fund_pay_type
from payables
left join expenses
    on payables.area_code = expenses.area_code
    and payables.fixmedins_code = expenses.fixmedins_code
    and payables.fund_pay_type = expenses.fund_pay_type
left join instructions
    on payables.area_code = instructions.area_code
    and payables.fixmedins_code = instructions.fixmedins_code
    and payables.fund_pay_type = instructions.fund_pay_type
where
    payables.payable_amount
    <> coalesce(expenses.expense_amount, 0) - coalesce(instructions.instructed_amount, 0)
