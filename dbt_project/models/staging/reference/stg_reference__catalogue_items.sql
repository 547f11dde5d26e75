-- Dated national catalogue with its price ceilings.
select
    med_list_codg,
    name,
    kind,
    level,
    price_ceiling,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'catalogue_item') }}
