-- Batch days whose accrual is in the books.
select
    accepted_batch_id,
    business_date,
    area_code
from {{ source('ledger', 'accrued_batch_day') }}
