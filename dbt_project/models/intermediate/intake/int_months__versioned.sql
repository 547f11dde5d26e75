-- Which totals each month's fund totals must be made of; a month stands under its first day.
with days as (

    select *
    from {{ ref('int_days__totalled') }}
    where
        business_date between
        (
            select date_trunc('month', min(watched_days.business_date))::date
            from {{ ref('int_accepted_days__versioned') }} as watched_days
        )
        and (
            select (date_trunc('month', max(watched_days.business_date)) + interval '1 month - 1 day')::date
            from {{ ref('int_accepted_days__versioned') }} as watched_days
        )

)

select
    area_code,
    date_trunc('month', business_date)::date as business_date,
    md5(string_agg(day_version, ',' order by business_date)) as day_version
from days
group by
    area_code,
    date_trunc('month', business_date)::date
