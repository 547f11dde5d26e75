-- Which batch brought settlements of which day, also batches that are stopped.
select
    accepted_batch_id,
    area_code,
    business_date,
    row_count,
    load_id
from {{ source('raw', 'accepted_day') }}
