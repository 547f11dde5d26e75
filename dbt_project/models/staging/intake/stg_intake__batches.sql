-- Delivered batches, with the date on which the sender made them.
select
    batch_id,
    kind,
    area_code,
    business_date,
    created_at at time zone 'Asia/Shanghai' as created_at_local,
    (created_at at time zone 'Asia/Shanghai')::date as created_date,
    status,
    load_id,
    received_at
from {{ source('intake', 'batch') }}
