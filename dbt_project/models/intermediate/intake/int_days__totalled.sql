-- The days that are added up, each with the version of its totals. All totals of a day share one version, so a day
-- costs one look into the index; reading them all to find their days would cost more with every day of history.
-- A day whose batches are all stopped has no totals and is in the list, so that what was made of them is taken back.
with days as (

    select distinct
        area_code,
        business_date
    from {{ ref('stg_raw__accepted_days') }}

)

select
    days.area_code,
    days.business_date,
    coalesce(
        (
            select totals.day_version
            from {{ ref('int_settlements__totalled') }} as totals
            where
                totals.area_code = days.area_code
                and totals.business_date = days.business_date
            limit 1 -- noqa: AM09
        ),
        'none'
    ) as day_version
from days
