-- The auxiliary type of each DIP case: of those its group knows and it meets, the one with the highest coefficient.
-- (90-drg-dip.md §3.3)
{{ config(materialized='work_table', tags=['case_booking']) }}
with cases as (

    select
        listed_cases.case_no,
        listed_cases.fixmedins_code,
        listed_cases.case_id as setl_id,
        listed_cases.scheme_id,
        listed_cases.age_years,
        listed_cases.age_days,
        listed_cases.stay_days,
        listed_cases.discharge_way,
        listed_cases.dx_codes,
        case_groups.group_code
    from {{ ref('int_listed_cases') }} as listed_cases
    inner join {{ ref('int_dip_case_groups') }} as case_groups
        on listed_cases.case_no = case_groups.case_no

),

secondary_diagnoses as (

    select
        cases.case_no,
        cases.scheme_id,
        cases.dx_codes[1] as principal_dx_code,
        cases.stay_days,
        diagnoses.dx_code
    from cases
    cross join unnest(cases.dx_codes) with ordinality as diagnoses (dx_code, seq)
    where diagnoses.seq > 1

),

-- Of several diagnoses of one category only the heaviest adds to the index.
heaviest_of_category as (

    select
        secondary_diagnoses.case_no,
        left(secondary_diagnoses.dx_code, 3) as category,
        max(comorbidity_weights.weight) as weight
    from secondary_diagnoses
    inner join {{ ref('stg_grouper__dip_comorbidity_weights') }} as comorbidity_weights
        on secondary_diagnoses.scheme_id = comorbidity_weights.scheme_id
        and comorbidity_weights.dx_key
        in (secondary_diagnoses.dx_code, left(secondary_diagnoses.dx_code, 5), left(secondary_diagnoses.dx_code, 3))
    group by
        secondary_diagnoses.case_no,
        left(secondary_diagnoses.dx_code, 3)

),

indexes as (

    select
        case_no,
        sum(weight) as cci
    from heaviest_of_category
    group by case_no

),

severities as (

    select
        secondary_diagnoses.case_no,
        bool_or(severity_diagnoses.severity = 'severe') as is_severe,
        bool_or(severity_diagnoses.severity = 'moderate') as is_moderate,
        bool_or(
            secondary_diagnoses.dx_code like 'C%'
            and secondary_diagnoses.principal_dx_code like 'C%'
            and left(secondary_diagnoses.dx_code, 3) <> left(secondary_diagnoses.principal_dx_code, 3)
        ) as has_metastasis
    from secondary_diagnoses
    left join {{ ref('stg_grouper__dip_severity_diagnoses') }} as severity_diagnoses
        on secondary_diagnoses.scheme_id = severity_diagnoses.scheme_id
        and severity_diagnoses.dx_key
        in (secondary_diagnoses.dx_code, left(secondary_diagnoses.dx_code, 5), left(secondary_diagnoses.dx_code, 3))
    -- A stay too short to treat it is not made severe by a diagnosis.
    where secondary_diagnoses.stay_days >= 3
    group by secondary_diagnoses.case_no

),

intensive_care as (

    select
        fixmedins_code,
        setl_id,
        sum(scs_cutd_exit_time::date - scs_cutd_inpool_time::date) as icu_days
    from {{ ref('stg_raw__settlement_list_icu') }}
    where business_date between {{ booked_month_start() }} and {{ booked_month_end() }}
    group by
        fixmedins_code,
        setl_id

),

measured as (

    select
        cases.*,
        measures.measure,
        measures.value
    from cases
    left join indexes
        on cases.case_no = indexes.case_no
    left join severities
        on cases.case_no = severities.case_no
    left join intensive_care
        on cases.fixmedins_code = intensive_care.fixmedins_code
        and cases.setl_id = intensive_care.setl_id
    cross join lateral (
        values
        ('age_days', case when cases.age_years = 0 then cases.age_days end),
        ('age_years', cases.age_years),
        ('icu_days', intensive_care.icu_days::integer),
        ('cci', indexes.cci::integer),
        ('death', (cases.discharge_way = '5')::integer),
        ('severe', severities.is_severe::integer),
        ('moderate', severities.is_moderate::integer),
        ('metastasis', severities.has_metastasis::integer)
    ) as measures (measure, value)

)

select distinct on (measured.case_no)
    measured.case_no,
    measured.fixmedins_code,
    measured.setl_id,
    definitions.dimension,
    definitions.type_code,
    group_types.coefficient
from measured
inner join {{ ref('dip_auxiliary_types') }} as definitions
    on measured.measure = definitions.measure
    and measured.value >= definitions.at_least
    and measured.value <= coalesce(definitions.at_most, measured.value)
    and {{ booked_month_end() }} between definitions.valid_from and coalesce(definitions.valid_to, date 'infinity')
inner join {{ ref('stg_grouper__dip_auxiliary_types') }} as group_types
    on measured.scheme_id = group_types.scheme_id
    and measured.group_code = group_types.group_id
    and definitions.dimension = group_types.dimension
    and definitions.type_code = lower(group_types.type_code)
order by
    measured.case_no asc,
    group_types.coefficient desc,
    definitions.dimension asc,
    definitions.type_code asc
