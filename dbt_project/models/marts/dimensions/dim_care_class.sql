-- The kinds of care that payment policies distinguish.
select
    care_class,
    name_zh as care_class_name_zh,
    name_en as care_class_name_en,
    position
from {{ ref('care_classes') }}
