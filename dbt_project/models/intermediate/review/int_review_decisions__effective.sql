-- The decision on a finding that counts: the last one, and of two at the same moment that of the later stage.
with decisions as (

    select * from {{ ref('stg_raw__review_decisions') }}

)

select distinct on (finding_id)
    finding_id,
    decision,
    stage,
    decided_amount,
    decided_date
from decisions
order by
    finding_id asc,
    decided_at desc,
    array_position(array['first', 'second', 'appeal'], stage) desc
