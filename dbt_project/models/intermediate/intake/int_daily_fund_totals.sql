-- What each fund owes an institution for a day, by batch and kind of care; refunds are netted.
with totals as (

    select * from {{ ref('int_settlements__totalled') }}

)

{{ fund_amounts('totals', [
    'fixmedins_code', 'business_date', 'accepted_batch_id', 'insutype', 'clr_type', 'care_class', 'area_code',
    'settlement_count', 'day_version',
]) }}
