-- The declarations that count: of those of one key and period, the one delivered last.
with declarations as (

    select * from {{ ref('stg_raw__declarations') }}

)

select distinct on (fixmedins_code, insutype, clr_type, period_begin_date, period_end_date)
    fixmedins_code,
    insutype,
    clr_type,
    period_begin_date,
    period_end_date,
    medfee_amount,
    fund_pay_amount,
    account_pay_amount,
    settlement_count,
    area_code,
    load_id,
    accepted_batch_id
from declarations
order by
    fixmedins_code asc,
    insutype asc,
    clr_type asc,
    period_begin_date asc,
    period_end_date asc,
    load_id desc
