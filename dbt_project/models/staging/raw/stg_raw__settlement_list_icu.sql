-- Intensive care of accepted settlement lists.
select
    fixmedins_code,
    setl_id,
    scs_cutd_ward_type,
    scs_cutd_inpool_time,
    scs_cutd_exit_time,
    area_code,
    business_date,
    accepted_batch_id
from {{ source('raw', 'settlement_list_icu') }} as settlement_list_icu
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = settlement_list_icu.accepted_batch_id
)
