-- Dated payment policies; an empty key column stands for all.
select
    area_code,
    fixmedins_code,
    institution_class,
    fund_pay_type,
    care_class,
    mode,
    coalesce(frequency, 'day') as frequency,
    coalesce(ratio, 0) as ratio_rate,
    deposit_rate,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'payment_policy') }}
