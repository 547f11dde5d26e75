-- Dated expenditure accounts that payments leave from.
select
    area_code,
    fund_pay_type,
    account_no,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'fund_account') }}
