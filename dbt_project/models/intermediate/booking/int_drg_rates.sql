-- The rate of a pool paid by the DRG rate method: what one weight is worth in yuan. Where it is set beforehand, the one
-- ordered or the newest published; else rate = (fund ÷ payment ratio) ÷ Σ (weight × cases). (90-drg-dip.md §4.2)
{{ config(materialized='work_table', tags=['case_booking']) }}
with pool_funds as (

    select * from {{ ref('int_pools__funded') }}
    where pricing_method = 'drg_rate'

),

earlier_values as (

    {{ earlier_point_values() }}

),

weights as (

    select
        area_code,
        fund_pay_type,
        scheme_version,
        sum(weight) as total_weight
    from {{ ref('int_cases__to_price') }}
    where is_pooled and case_status in ('GROUPED', 'AMBIGUOUS')
    group by
        area_code,
        fund_pay_type,
        scheme_version

)

select
    pool_funds.area_code,
    pool_funds.fund_pay_type,
    pool_funds.scheme_version,
    case
        when pool_funds.value_mode = 'fixed' then coalesce(pool_funds.fixed_value, earlier_values.point_value)
        else round(
            pool_funds.fund_amount / nullif(pool_funds.payment_ratio, 0) / nullif(weights.total_weight, 0), 2
        )
    end as rate
from pool_funds
left join weights
    on pool_funds.area_code = weights.area_code
    and pool_funds.fund_pay_type = weights.fund_pay_type
    and pool_funds.scheme_version = weights.scheme_version
left join earlier_values
    on pool_funds.area_code = earlier_values.area_code
    and pool_funds.fund_pay_type = earlier_values.fund_pay_type
    and pool_funds.scheme_version = earlier_values.scheme_version
