-- Dated payment methods of inpatient care; an empty key column stands for all, the most specific row wins.
select
    area_code,
    fixmedins_code,
    insutype,
    method,
    scheme_code,
    valid_from,
    coalesce(valid_to, date 'infinity') as valid_to
from {{ source('reference', 'inpatient_method') }}
