-- Operations of accepted inpatient lists.
select
    fixmedins_code,
    setl_id,
    seq,
    oprn_oprt_type,
    oprn_oprt_code,
    oprn_oprt_name,
    oprn_oprt_date,
    oprn_oprt_begntime,
    oprn_oprt_endtime,
    oper_dr_code,
    area_code,
    business_date,
    batch_id,
    accepted_batch_id
from {{ source('raw', 'settlement_list_operation') }} as operations
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = operations.accepted_batch_id
)
