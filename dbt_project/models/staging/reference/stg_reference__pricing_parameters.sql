-- Dated parameters of payment by disease group; an empty scheme stands for every scheme of the area.
select
    area_code,
    scheme_code,
    parameter,
    value,
    document,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'pricing_parameter') }}
