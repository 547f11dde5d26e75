-- Refused rows, one line each with all its reasons.
select
    batch_id,
    file_no,
    file_name as file,
    line_no,
    table_name,
    record_key,
    reason_codes
from {{ source('intake', 'quarantine') }}
