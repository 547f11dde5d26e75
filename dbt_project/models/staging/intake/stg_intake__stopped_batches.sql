-- Batches that a critical expectation stopped: nothing of them is booked, paid or published.
select batch_id
from {{ source('intake', 'stopped_batch') }}
