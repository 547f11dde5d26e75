-- Accepted fee lines of settlements.
select
    fixmedins_code,
    setl_id,
    feedetl_sn,
    med_list_codg,
    med_list_name,
    medins_list_codg,
    med_chrgitm_type,
    cnt,
    pric,
    det_item_fee_sumamt,
    overlmt_amt,
    inscp_scp_amt,
    pric_uplmt_amt,
    fee_ocur_time,
    bilg_dept_codg,
    bilg_dr_codg,
    days,
    drug_trac_codg,
    area_code,
    business_date,
    accepted_batch_id
from {{ source('raw', 'fee_item') }} as fee_items
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = fee_items.accepted_batch_id
)
