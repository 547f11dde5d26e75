-- Which totals and declarations each day's reconciliation must be made of, and whether the area declares at all.
with totals as (

    select * from {{ ref('int_days__totalled') }}

),

declarations as (

    select * from {{ ref('int_declarations__effective') }}

),

areas as (

    select * from {{ ref('stg_reference__areas') }}

),

closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

declared_days as (

    select
        declarations.area_code,
        days.declared_at::date as business_date,
        max(declarations.load_id) as newest_load_id,
        count(*) as declaration_count
    from declarations
    cross join
        generate_series(
            declarations.period_begin_date, declarations.period_end_date, interval '1 day'
        ) as days (declared_at)
    group by
        declarations.area_code,
        days.declared_at::date

),

-- A declared period longer than a day changes on all its days when the totals of one of them do.
period_versions as (

    select
        declarations.area_code,
        days.declared_at::date as business_date,
        string_agg(distinct totals.day_version, ',' order by totals.day_version) as day_versions
    from declarations
    inner join totals
        on declarations.area_code = totals.area_code
        and totals.business_date between declarations.period_begin_date and declarations.period_end_date
    cross join
        generate_series(
            declarations.period_begin_date, declarations.period_end_date, interval '1 day'
        ) as days (declared_at)
    where declarations.period_end_date > declarations.period_begin_date
    group by
        declarations.area_code,
        days.declared_at::date

),

days as (

    select
        coalesce(totals.area_code, declared_days.area_code) as area_code,
        coalesce(totals.business_date, declared_days.business_date) as business_date,
        concat_ws(
            '|',
            coalesce(totals.day_version, '-'),
            coalesce(declared_days.newest_load_id, 0),
            coalesce(declared_days.declaration_count, 0)
        ) as day_version
    from totals
    full outer join declared_days
        on totals.area_code = declared_days.area_code
        and totals.business_date = declared_days.business_date

)

-- Days that need no declaration (免申免对) stay in the list: were they left out, what an earlier duty to declare has held
-- would never be deleted, and be held for good.
select
    days.area_code,
    days.business_date,
    coalesce(areas.is_declaration_required, false) as is_declaration_required,
    concat_ws(
        '|',
        case when areas.is_declaration_required then 'declared' else 'exempt' end,
        days.day_version,
        period_versions.day_versions
    ) as day_version
from days
left join areas
    on days.area_code = areas.area_code
    and days.business_date between areas.valid_from and areas.valid_to
left join period_versions
    on days.area_code = period_versions.area_code
    and days.business_date = period_versions.business_date
left join closed_months
    on days.area_code = closed_months.area_code
    and {{ settlement_month('days.business_date') }} = closed_months.settlement_month
where closed_months.area_code is null
