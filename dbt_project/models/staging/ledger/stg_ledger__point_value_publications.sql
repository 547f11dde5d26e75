-- Point values as they were published, one after the other.
select
    area_code,
    settlement_month,
    fund_pay_type,
    scheme_version,
    publication_no,
    fund_amount,
    pool_amount,
    total_points,
    point_value,
    published_by,
    published_at
from {{ source('ledger', 'point_value_publication') }}
