-- Declared totals against accepted ones, with what is held because they differ.
select
    fixmedins_code,
    insutype,
    clr_type,
    business_date,
    period_end_date,
    area_code,
    declared_settlement_count,
    declared_medfee_amount,
    declared_fund_pay_amount,
    declared_account_pay_amount,
    accepted_settlement_count,
    accepted_medfee_amount,
    accepted_fund_pay_amount,
    accepted_account_pay_amount,
    stmt_rslt,
    is_held,
    declaration_batch_id
from {{ ref('int_settlements__reconciled') }}
