-- Dated accounts that institutions are paid to.
select
    fixmedins_code,
    account_name,
    account_no,
    bank_code,
    bank_name,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'bank_account') }}
