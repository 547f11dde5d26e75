-- Files of delivered batches, with the count of rows that were accepted.
select
    batch_id,
    file_no,
    table_name,
    accepted_count
from {{ source('intake', 'batch_file') }}
