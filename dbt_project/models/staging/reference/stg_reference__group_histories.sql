-- Dated cases and mean costs of groups by year.
select
    area_code,
    scheme_code,
    group_code,
    cost_year,
    cases,
    mean_cost,
    document,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'group_history') }}
