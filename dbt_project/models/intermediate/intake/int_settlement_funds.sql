-- What each fund pays for each settlement; refunds are negative.
with settlements as (

    select * from {{ ref('int_settlements__classified') }}

)

{{ fund_amounts('settlements', [
    'fixmedins_code', 'setl_id', 'init_setl_id', 'insutype', 'clr_type', 'care_class', 'area_code', 'business_date',
    'accepted_batch_id',
]) }}
