-- Every publication of a month's point value; a later one corrects the one before it, which stays.
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
from {{ ref('stg_ledger__point_value_publications') }}
