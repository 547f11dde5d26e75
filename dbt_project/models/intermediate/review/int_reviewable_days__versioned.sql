-- What each day's findings must be made of, in open settlement months: one version for all its causes.
with totals as (

    select * from {{ ref('int_days__totalled') }}

),

closed_months as (

    select * from {{ ref('stg_ledger__closed_months') }}

),

fee_days as (

    select * from {{ ref('int_fee_days__accepted') }}

),

stopped_batches as (

    select * from {{ ref('stg_intake__stopped_batches') }}

),

batches as (

    select * from {{ ref('stg_intake__batches') }}
    where kind = 'reference' and status = 'accepted'

),

batch_files as (

    select * from {{ ref('stg_intake__batch_files') }}
    where table_name = 'catalogue_item' and accepted_count > 0

),

coding_findings as (

    select * from {{ ref('int_findings__coding') }}

),

open_days as (

    select
        totals.area_code,
        totals.business_date,
        totals.day_version
    from totals
    left join closed_months
        on totals.area_code = closed_months.area_code
        and {{ settlement_month('totals.business_date') }} = closed_months.settlement_month
    where closed_months.area_code is null

),

-- Lines that came after their settlements, and lines of a batch that is stopped, change the version of their day.
fee_versions as (

    select
        fee_days.area_code,
        fee_days.business_date,
        concat(max(fee_days.load_id), '/', count(*)) as fee_version
    from fee_days
    left join stopped_batches
        on fee_days.accepted_batch_id = stopped_batches.batch_id
    where
        stopped_batches.batch_id is null
        and fee_days.business_date >= (select min(open_days.business_date) from open_days)
    group by
        fee_days.area_code,
        fee_days.business_date

),

-- A price ceiling may be ordered or corrected for past days: a catalogue has everything open looked at again.
catalogue_deliveries as (

    select coalesce(max(batches.load_id), 0) as newest_load_id
    from batches
    inner join batch_files
        on batches.batch_id = batch_files.batch_id

),

-- Checks on coding are made when a month is booked: only days whose findings are others than before are looked at again.
coding_versions as (

    select
        coding_findings.area_code,
        coding_findings.business_date,
        left(md5(string_agg(
            coding_findings.finding_id || coding_findings.severity || coding_findings.evidence, ','
            order by coding_findings.finding_id
        )), 12) as coding_version
    from coding_findings
    where coding_findings.business_date >= (select min(open_days.business_date) from open_days)
    group by
        coding_findings.area_code,
        coding_findings.business_date

)

select
    open_days.area_code,
    open_days.business_date,
    concat_ws(
        '|',
        open_days.day_version,
        coalesce(fee_versions.fee_version, '-'),
        catalogue_deliveries.newest_load_id,
        coding_versions.coding_version
    ) as day_version
from open_days
cross join catalogue_deliveries
left join fee_versions
    on open_days.area_code = fee_versions.area_code
    and open_days.business_date = fee_versions.business_date
left join coding_versions
    on open_days.area_code = coding_versions.area_code
    and open_days.business_date = coding_versions.business_date
