-- V04: a person is admitted again within days of a discharge, whatever the institution, with a main diagnosis of the same
-- category: one stay may have been booked as two, unless the readmission was planned. (30-rules.md §6.5)
with stays as (

    select * from {{ ref('int_stays__booked') }}

),

review_rules as (

    select * from {{ ref('review_rules') }}
    where rule_code = 'V04'

),

limits as (

    select value::integer as window_days
    from {{ ref('settings') }}
    where
        setting = 'readmission_window'
        and {{ booked_month_end() }} between valid_from and coalesce(valid_to, date 'infinity')

),

-- No stay that ended before this day matters, and none is settled before it ends.
earliest as (

    select min(stays.admitted_on) - max(limits.window_days) as ended_on
    from stays
    cross join limits

),

lists as (

    select * from {{ ref('stg_raw__settlement_lists') }}
    where business_date between (select earliest.ended_on from earliest) and {{ booked_month_end() }}

),

-- What was refunded as a whole is not booked: it is no stay.
bookings as (

    select * from {{ ref('int_case_bookings') }}
    where
        settlement_month between (select {{ settlement_month('earliest.ended_on') }} from earliest)
        and {{ booked_month() }}

),

paired as (

    select
        stays.*,
        lists.fixmedins_code as first_fixmedins_code,
        lists.setl_id as first_setl_id,
        bookings.points as first_points,
        lists.dscg_time as first_discharged_at,
        lists.days_rinp_flag_31 as first_days_rinp_flag_31,
        stays.admitted_on - lists.dscg_time::date as gap_days
    from stays
    cross join limits
    inner join lists
        on stays.person_key = lists.person_key
        and stays.admitted_on - lists.dscg_time::date between 0 and limits.window_days
        -- Of two stays within one day only one can be the second.
        and (lists.adm_time::date, lists.dscg_time::date, lists.setl_id)
        < (stays.admitted_on, stays.discharged_on, stays.setl_id)
    inner join bookings
        on lists.fixmedins_code = bookings.fixmedins_code
        and lists.setl_id = bookings.setl_id
        and lists.business_date = bookings.business_date

),

-- As the grouping reads them: western codes only, the flagged one first.
main_diagnoses as (

    select distinct on (fixmedins_code, setl_id)
        fixmedins_code,
        setl_id,
        diag_code,
        left(diag_code, 3) as category
    from {{ ref('stg_raw__settlement_list_diagnoses') }}
    where
        business_date between (select earliest.ended_on from earliest) and {{ booked_month_end() }}
        and is_western
        and (fixmedins_code, setl_id) in (
            select
                paired.fixmedins_code,
                paired.setl_id
            from paired
            union
            select
                paired.first_fixmedins_code,
                paired.first_setl_id
            from paired
        )
    order by
        fixmedins_code asc,
        setl_id asc,
        is_main_flagged desc nulls last,
        seq asc

),

-- Of several earlier stays the one that ended last.
readmitted as (

    select distinct on (paired.fixmedins_code, paired.setl_id)
        paired.*,
        main_diagnoses.category,
        main_diagnoses.diag_code as main_diagnosis
    from paired
    inner join main_diagnoses
        on paired.fixmedins_code = main_diagnoses.fixmedins_code
        and paired.setl_id = main_diagnoses.setl_id
    inner join main_diagnoses as first_diagnoses
        on paired.first_fixmedins_code = first_diagnoses.fixmedins_code
        and paired.first_setl_id = first_diagnoses.setl_id
        and main_diagnoses.category = first_diagnoses.category
    order by
        paired.fixmedins_code asc,
        paired.setl_id asc,
        paired.first_discharged_at desc,
        paired.first_setl_id desc

)

select
    concat_ws(':', readmitted.fixmedins_code, review_rules.rule_code, readmitted.setl_id) as finding_id,
    review_rules.rule_code,
    review_rules.severity,
    readmitted.area_code,
    readmitted.fixmedins_code,
    readmitted.setl_id,
    null::text as feedetl_sn,
    readmitted.business_date,
    readmitted.list_batch_id as line_batch_id,
    null::numeric as line_inscp_amount,
    0::numeric as refused_inscp_amount,
    jsonb_strip_nulls(
        jsonb_build_object(
            'first_fixmedins_code', readmitted.first_fixmedins_code,
            'first_setl_id', readmitted.first_setl_id,
            'second_setl_id', readmitted.setl_id,
            'gap_days', readmitted.gap_days,
            'main_diagnosis_category', readmitted.category,
            'first_points', readmitted.first_points,
            'second_points', readmitted.points,
            'points_of_both', readmitted.first_points + readmitted.points
        )
    ) as evidence
from readmitted
inner join review_rules
    on readmitted.business_date between review_rules.valid_from and coalesce(review_rules.valid_to, date 'infinity')
-- A course of treatment takes several admissions, and the earlier list says what was planned before anyone came back.
where not exists (
    select
    from {{ ref('planned_readmissions') }} as planned
    where
        starts_with(
            case planned.sign
                when 'days_rinp_flag_31' then readmitted.first_days_rinp_flag_31
                when 'main_diagnosis' then readmitted.main_diagnosis
            end,
            planned.code_prefix
        )
        and readmitted.business_date between planned.valid_from and coalesce(planned.valid_to, date 'infinity')
)
