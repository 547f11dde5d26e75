-- Institutions' own totals, every delivery of them.
select
    fixmedins_code,
    insutype,
    clr_type,
    stmt_begndate as period_begin_date,
    stmt_enddate as period_end_date,
    medfee_sumamt as medfee_amount,
    fund_pay_sumamt as fund_pay_amount,
    acct_pay as account_pay_amount,
    fixmedins_setl_cnt as settlement_count,
    area_code,
    load_id,
    accepted_batch_id
from {{ source('raw', 'declaration') }} as declarations
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = declarations.accepted_batch_id
)
