-- The days that reconciliation holds from payment, in open months. Of several declared periods that cover a day the
-- declaration delivered last says whether it is held. (30-rules.md §2: until a later declaration makes it 0)
with closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

held_periods as (

    select reconciled.*
    from {{ ref('int_settlements__reconciled') }} as reconciled
    left join closed_months
        on reconciled.area_code = closed_months.area_code
        and {{ settlement_month('reconciled.period_end_date') }} = closed_months.settlement_month
    where
        reconciled.is_held
        and closed_months.area_code is null

)

select
    held_periods.fixmedins_code,
    held_periods.insutype,
    held_periods.clr_type,
    days.held_at::date as business_date
from held_periods
cross join generate_series(held_periods.business_date, held_periods.period_end_date, interval '1 day') as days (held_at)
where held_periods.declaration_load_id is not distinct from (
    select max(covering_periods.declaration_load_id)
    from {{ ref('int_settlements__reconciled') }} as covering_periods
    where
        held_periods.fixmedins_code = covering_periods.fixmedins_code
        and held_periods.insutype = covering_periods.insutype
        and held_periods.clr_type = covering_periods.clr_type
        and days.held_at::date between covering_periods.business_date and covering_periods.period_end_date
)
