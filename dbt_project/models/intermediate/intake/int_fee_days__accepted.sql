-- Which batch brought fee lines of which day: fee lines may come in another batch, and on another day, than their
-- settlements. A batch is looked through once, when it is new; an accepted batch never changes.
{{
    config(
        materialized='period_replace',
        period_predicate='false',
        contract={'enforced': true},
        indexes=[{'columns': ['business_date', 'area_code']}],
        tags=['proposal'],
    )
}}
with batch_files as (

    select * from {{ ref('stg_intake__batch_files') }}
    where table_name = 'fee_item' and accepted_count > 0

),

batches as (

    select * from {{ ref('stg_intake__batches') }}
    where status = 'accepted'

),

stopped_batches as (

    select * from {{ ref('stg_intake__stopped_batches') }}

),

counted_batches as (

    {{ counted_batches() }}

),

new_batches as (

    select distinct
        batches.batch_id,
        batches.load_id
    from batches
    inner join batch_files
        on batches.batch_id = batch_files.batch_id
    left join counted_batches
        on batches.batch_id = counted_batches.accepted_batch_id
    left join stopped_batches
        on batches.batch_id = stopped_batches.batch_id
    where
        counted_batches.accepted_batch_id is null
        and stopped_batches.batch_id is null

),

fee_items as (

    select * from {{ ref('stg_raw__fee_items') }}

)

-- The list of batches is known before the lines are read, so that the index finds theirs and nobody else's.
select
    fee_items.accepted_batch_id,
    fee_items.area_code,
    fee_items.business_date,
    new_batches.load_id,
    count(*)::bigint as line_count
from fee_items
inner join new_batches
    on fee_items.accepted_batch_id = new_batches.batch_id
where fee_items.accepted_batch_id = any(array(select listed.batch_id from new_batches as listed))
group by
    fee_items.accepted_batch_id,
    fee_items.area_code,
    fee_items.business_date,
    new_batches.load_id
