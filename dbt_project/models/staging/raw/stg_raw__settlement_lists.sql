-- Accepted inpatient lists, with what grouping asks of a patient and a stay.
select
    fixmedins_code,
    setl_id,
    mdtrt_id,
    person_key,
    gend,
    brdy,
    age,
    nwb_age,
    nwb_bir_wt,
    nwb_adm_wt,
    trt_type,
    adm_time,
    dscg_time,
    dscg_caty,
    act_ipt_days,
    dscg_way,
    days_rinp_flag_31,
    chfpdr_code,
    area_code,
    business_date,
    batch_id,
    accepted_batch_id
from {{ source('raw', 'settlement_list') }} as lists
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = lists.accepted_batch_id
)
