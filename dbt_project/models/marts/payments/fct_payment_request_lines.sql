-- Lines of payment requests with the account that each was requested for: what an approver approves, whole.
with lines as (

    select * from {{ ref('stg_ledger__payment_request_lines') }}

),

requests as (

    select * from {{ ref('stg_ledger__payment_requests') }}

)

select
    lines.request_id,
    requests.area_code,
    requests.fund_pay_type,
    requests.pay_date,
    lines.fixmedins_code,
    lines.settlement_month,
    lines.amount,
    lines.flag,
    lines.account_name,
    lines.account_no,
    lines.bank_code,
    lines.replaces_instruction_id
from lines
inner join requests
    on lines.request_id = requests.request_id
