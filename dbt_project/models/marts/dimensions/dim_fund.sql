-- The funds that pay for care.
select
    fund_pay_type,
    name_zh as fund_name_zh,
    name_en as fund_name_en,
    is_pooled
from {{ ref('funds') }}
