-- Diagnoses of accepted inpatient lists.
select
    fixmedins_code,
    setl_id,
    seq,
    diag_type,
    is_western,
    diag_code,
    diag_name,
    adm_cond_type,
    coalesce(maindiag_flag = 1, false) as is_main_flagged,
    area_code,
    business_date,
    batch_id,
    accepted_batch_id
from {{ source('raw', 'settlement_list_diagnosis') }} as diagnoses
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = diagnoses.accepted_batch_id
)
