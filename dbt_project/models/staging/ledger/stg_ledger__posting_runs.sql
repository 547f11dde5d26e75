-- Posting runs, in the order of their numbers.
select
    posting_run_id,
    area_code,
    posted_at
from {{ source('ledger', 'posting_run') }}
