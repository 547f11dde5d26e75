-- Charge items of accepted inpatient lists.
select
    fixmedins_code,
    setl_id,
    med_chrgitm,
    amt,
    claa_sumfee,
    clab_amt,
    fulamt_ownpay_amt,
    oth_amt,
    area_code,
    business_date,
    batch_id,
    accepted_batch_id
from {{ source('raw', 'settlement_list_item') }} as items
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = items.accepted_batch_id
)
