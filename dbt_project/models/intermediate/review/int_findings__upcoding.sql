-- V03: the severity of a DRG case rests on one secondary diagnosis alone, at an institution that has such cases more
-- often than the area. (M18 §34; 90-drg-dip.md §6.4)
with stays as (

    select * from {{ ref('int_stays__booked') }}
    where method = 'drg' and case_status = 'GROUPED'

),

review_rules as (

    select * from {{ ref('review_rules') }}
    where rule_code = 'V03'

),

limits as (

    select
        max(value) filter (where setting = 'upcoding_min_cases') as min_case_count,
        max(value) filter (where setting = 'upcoding_rate_factor') as rate_factor
    from {{ ref('settings') }}
    where {{ booked_month_end() }} between valid_from and coalesce(valid_to, date 'infinity')

),

schemes as (

    select * from {{ ref('stg_grouper__schemes') }}

),

drg_groups as (

    select * from {{ ref('stg_grouper__drg_groups') }}

),

parameters as (

    select * from {{ ref('int_pricing_parameters__in_force') }}

),

institutions as (

    select * from {{ ref('stg_reference__institutions') }}

),

standards as (

    select * from {{ ref('stg_reference__group_standards') }}
    where {{ booked_month_end() }} between valid_from and valid_to

),

-- Comorbidities that the principal diagnosis does not exclude.
counted as (

    select
        stays.fixmedins_code,
        stays.setl_id,
        comorbidities.data ->> 'dx_code' as dx_code,
        comorbidities.data ->> 'level' as level
    from stays
    cross join lateral jsonb_array_elements(stays.explanation -> 'comorbidities') as comorbidities (data)
    where not (comorbidities.data ->> 'is_excluded')::boolean

),

decisive as (

    select
        stays.fixmedins_code,
        stays.setl_id,
        min(counted.dx_code) as dx_code,
        min(counted.level) as level
    from stays
    inner join counted
        on stays.fixmedins_code = counted.fixmedins_code
        and stays.setl_id = counted.setl_id
        and stays.explanation ->> 'severity' = counted.level
    group by
        stays.fixmedins_code,
        stays.setl_id
    having count(distinct counted.dx_code) = 1

),

-- A case of an MCC alone may still have a CC without it.
lowered as (

    select
        decisive.fixmedins_code,
        decisive.setl_id,
        decisive.dx_code,
        decisive.level,
        coalesce(bool_or(others.level = 'CC'), false) as has_cc
    from decisive
    left join counted as others
        on decisive.fixmedins_code = others.fixmedins_code
        and decisive.setl_id = others.setl_id
        and decisive.dx_code <> others.dx_code
    group by
        decisive.fixmedins_code,
        decisive.setl_id,
        decisive.dx_code,
        decisive.level

),

-- The group without it: the first of the rule whose severity still holds.
regrouped as (

    select distinct on (stays.fixmedins_code, stays.setl_id)
        stays.*,
        lowered.dx_code,
        lowered.level,
        drg_groups.drg_code as group_without
    from lowered
    inner join stays
        on lowered.fixmedins_code = stays.fixmedins_code
        and lowered.setl_id = stays.setl_id
    inner join schemes
        on stays.scheme_version = schemes.version
    inner join drg_groups
        on schemes.scheme_id = drg_groups.scheme_id
        and stays.explanation ->> 'rule' = drg_groups.rule_id
    where
        case drg_groups.severity_rule
            when 'ALWAYS' then true
            when 'CC' then lowered.has_cc
            when 'MCC_OR_CC' then lowered.has_cc
            when 'NONE' then not lowered.has_cc
            when 'DEATH' then stays.discharge_way = '5'
        end
    order by
        stays.fixmedins_code asc,
        stays.setl_id asc,
        drg_groups.drg_order asc

),

-- Points of a normal case of either group; unknown where the other group has no standard.
priced as (

    select
        regrouped.*,
        round(
            regrouped.coefficient * (
                regrouped.base_points
                - {{ base_points(
                    'parameters',
                    'coalesce(level_standard.weight, standard.weight)',
                    'standard.mean_cost',
                    'every_case.mean_cost',
                ) }}
            ), 4
        ) as points_gained
    from regrouped
    inner join parameters
        on regrouped.area_code = parameters.area_code
        and regrouped.scheme_version = parameters.scheme_version
    left join institutions
        on regrouped.fixmedins_code = institutions.fixmedins_code
        and regrouped.business_date between institutions.valid_from and institutions.valid_to
    left join standards as level_standard
        on regrouped.area_code = level_standard.area_code
        and regrouped.scheme_version = level_standard.scheme_code
        and regrouped.group_without = level_standard.group_code
        and institutions.hosp_lv = level_standard.hosp_lv
    left join standards as standard
        on regrouped.area_code = standard.area_code
        and regrouped.scheme_version = standard.scheme_code
        and regrouped.group_without = standard.group_code
        and standard.hosp_lv is null
    left join standards as every_case
        on regrouped.area_code = every_case.area_code
        and regrouped.scheme_version = every_case.scheme_code
        and every_case.group_code = '*'
        and every_case.hosp_lv is null
    where regrouped.group_without <> regrouped.group_code

),

raised as (

    select * from priced
    where points_gained is null or points_gained > 0

),

case_counts as (

    select
        stays.area_code,
        stays.scheme_version,
        stays.fixmedins_code,
        count(*)::numeric as case_count,
        count(raised.setl_id)::numeric as raised_count
    from stays
    left join raised
        on stays.fixmedins_code = raised.fixmedins_code
        and stays.setl_id = raised.setl_id
    group by
        stays.area_code,
        stays.scheme_version,
        stays.fixmedins_code

),

-- Peers are all institutions of the area, itself among them: where there is but one, it stands out from nobody.
rates as (

    select
        area_code,
        scheme_version,
        fixmedins_code,
        raised_count,
        raised_count / case_count as institution_rate,
        sum(raised_count) over (partition by area_code, scheme_version)
        / sum(case_count) over (partition by area_code, scheme_version) as peer_rate
    from case_counts

)

select
    concat_ws(':', raised.fixmedins_code, review_rules.rule_code, raised.setl_id) as finding_id,
    review_rules.rule_code,
    review_rules.severity,
    raised.area_code,
    raised.fixmedins_code,
    raised.setl_id,
    null::text as feedetl_sn,
    raised.business_date,
    raised.list_batch_id as line_batch_id,
    null::numeric as line_inscp_amount,
    0::numeric as refused_inscp_amount,
    jsonb_strip_nulls(
        jsonb_build_object(
            'dx_code', raised.dx_code,
            'level', raised.level,
            'group', raised.group_code,
            'group_without', raised.group_without,
            'points_gained', raised.points_gained,
            'case_count', rates.raised_count,
            'institution_rate', round(rates.institution_rate, 6),
            'peer_rate', round(rates.peer_rate, 6)
        )
    ) as evidence
from raised
inner join rates
    on raised.area_code = rates.area_code
    and raised.scheme_version = rates.scheme_version
    and raised.fixmedins_code = rates.fixmedins_code
inner join review_rules
    on raised.business_date between review_rules.valid_from and coalesce(review_rules.valid_to, date 'infinity')
cross join limits
where
    rates.raised_count >= limits.min_case_count
    and rates.institution_rate > limits.rate_factor * rates.peer_rate
