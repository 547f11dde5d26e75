-- Debits equal credits in every proposed entry: a posting rule without one of its accounts would break it here, before
-- anything is posted.
{{ config(tags=['proposal']) }}
with lines as (

    select * from {{ ref('entry_accrued') }}
    union all
    select * from {{ ref('entry_deducted') }}
    union all
    select * from {{ ref('entry_restored') }}

)

select
    business_event_id,
    sum(case side when 'debit' then amount else -amount end) as difference_amount
from lines
group by business_event_id
having sum(case side when 'debit' then amount else -amount end) <> 0
