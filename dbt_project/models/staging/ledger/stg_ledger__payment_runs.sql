-- Payment runs that have made their requests.
select
    area_code,
    pay_date,
    triggered_by
from {{ source('ledger', 'payment_run') }}
