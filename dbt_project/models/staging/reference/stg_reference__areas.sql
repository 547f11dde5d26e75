-- Dated parameters of areas.
select
    area_code,
    name,
    province_code,
    (fund_sum_includes_account = 1) as is_account_in_fund_sum,
    reject_limit as reject_limit_rate,
    (declaration_required = 1) as is_declaration_required,
    approval_threshold as approval_threshold_amount,
    point_basis,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'area') }}
