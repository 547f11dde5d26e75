-- Groups of DIP catalogues; the weights of newborns' groups as numbers.
select
    scheme_id,
    group_id,
    group_type,
    stage,
    dx,
    main_op_or_property,
    related_op_or_weight,
    score,
    is_basic,
    name,
    dx like '%+%' as needs_secondary_diagnosis,
    case when stage = 'PRE_BIRTH' then nullif(split_part(related_op_or_weight, '-', 1), '')::integer end as weight_min,
    case when stage = 'PRE_BIRTH' then nullif(split_part(related_op_or_weight, '-', 2), '')::integer end as weight_max
from {{ source('grouper', 'dip_group') }}
