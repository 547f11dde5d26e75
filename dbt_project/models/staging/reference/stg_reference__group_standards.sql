-- Dated weights, scores and mean costs of groups; an empty level stands for all, the most specific row wins.
select
    area_code,
    scheme_code,
    group_code,
    hosp_lv,
    weight,
    mean_cost,
    (is_basic = 1) as is_basic,
    priced_as,
    min_tcm_rate,
    document,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'group_standard') }}
