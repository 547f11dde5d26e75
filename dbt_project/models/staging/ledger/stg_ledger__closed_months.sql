-- Settlement months that are closed.
select
    area_code,
    settlement_month
from {{ source('ledger', 'settlement_period') }}
