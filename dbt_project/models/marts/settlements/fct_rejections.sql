-- Every reason why a delivered row was refused.
select
    rejections.batch_id,
    rejections.file_no,
    rejections.file,
    rejections.line_no,
    rejections.table_name,
    rejections.record_key,
    reasons.reason_code,
    batches.area_code,
    batches.business_date
from {{ ref('stg_intake__rejections') }} as rejections
cross join unnest(rejections.reason_codes) as reasons (reason_code)
inner join {{ ref('stg_intake__batches') }} as batches
    on rejections.batch_id = batches.batch_id
