-- Every inpatient case of the booked month with its group, and what a case of that group is worth there.
{{ config(materialized='work_table', tags=['case_booking']) }}
with inpatient_cases as (

    select * from {{ ref('int_inpatient_cases') }}

),

listed_cases as (

    select * from {{ ref('int_listed_cases') }}

),

case_groups as (

    select * from {{ ref('int_cases__grouped') }}

),

standards as (

    select * from {{ ref('stg_reference__group_standards') }}
    where {{ booked_month_end() }} between valid_from and valid_to

),

-- One row a group and level of hospital; what stands for all levels fills what a level's own row leaves open.
all_levels as (

    select * from standards
    where hosp_lv is null

),

institution_factors as (

    select * from {{ ref('stg_reference__institution_factors') }}
    where {{ booked_month_end() }} between valid_from and valid_to

),

chinese_medicine as (

    select
        items.fixmedins_code,
        items.setl_id,
        sum(items.amt) filter (where charge_items.is_chinese_medicine) as tcm_amount
    from {{ ref('stg_raw__settlement_list_items') }} as items
    inner join {{ ref('charge_items') }} as charge_items
        on items.med_chrgitm = charge_items.med_chrgitm
        and items.business_date between charge_items.valid_from and coalesce(charge_items.valid_to, date 'infinity')
    where items.business_date between {{ booked_month_start() }} and {{ booked_month_end() }}
    group by
        items.fixmedins_code,
        items.setl_id

),

grouped as (

    select
        inpatient_cases.*,
        case_groups.mdc,
        case_groups.adrg,
        case_groups.group_code,
        case_groups.group_name,
        case_groups.catalogue_score,
        case_groups.check_failure,
        case_groups.explanation,
        case_groups.explanation_zh,
        case_groups.explanation_en,
        case
            when inpatient_cases.method = 'bed_day' then 'BED_DAY'
            when inpatient_cases.method not in ('drg', 'dip') then 'AS_ACCRUED'
            when not inpatient_cases.has_list then 'LIST_MISSING'
            when case_groups.status = 'EXCLUDED_DX' then 'EXCLUDED'
            when case_groups.status = 'CHECK_FAILED' then 'CHECK_FAILED'
            when case_groups.status = '歧义病案' then 'AMBIGUOUS'
            when case_groups.status = '分组成功' then 'GROUPED'
            else 'UNGROUPED'
        end as case_status
    from inpatient_cases
    left join listed_cases
        on inpatient_cases.fixmedins_code = listed_cases.fixmedins_code
        and inpatient_cases.setl_id = listed_cases.case_id
    left join case_groups
        on listed_cases.case_no = case_groups.case_no

),

-- The route of Chinese medicine is worth as much as the western one, where enough of the treatment was Chinese.
-- (90-drg-dip.md §4.9: 中西医同病同效同价)
routed as (

    select
        grouped.*,
        case
            when
                own_standard.priced_as is not null
                and coalesce(chinese_medicine.tcm_amount, 0)
                >= coalesce(own_standard.min_tcm_rate, 0) * grouped.total_cost_amount
                then own_standard.priced_as
            else grouped.group_code
        end as priced_group_code
    from grouped
    left join all_levels as own_standard
        on grouped.area_code = own_standard.area_code
        and grouped.scheme_version = own_standard.scheme_code
        and grouped.group_code = own_standard.group_code
    left join chinese_medicine
        on grouped.fixmedins_code = chinese_medicine.fixmedins_code
        and grouped.setl_id = chinese_medicine.setl_id

)

select
    routed.fixmedins_code,
    routed.setl_id,
    routed.area_code,
    routed.business_date,
    routed.settlement_month,
    routed.fund_pay_type,
    routed.method,
    routed.scheme_version,
    routed.hosp_lv,
    routed.total_cost_amount,
    routed.accrued_amount,
    routed.other_paid_amount,
    routed.stay_days,
    routed.discharge_way,
    routed.mdc,
    routed.adrg,
    routed.group_code,
    routed.group_name,
    routed.priced_group_code,
    routed.check_failure,
    routed.explanation,
    routed.explanation_zh,
    routed.explanation_en,
    routed.case_status,
    coalesce(level_standard.weight, standard.weight, routed.catalogue_score) as weight,
    level_standard.mean_cost as level_mean_cost_amount,
    standard.mean_cost as mean_cost_amount,
    every_case.mean_cost as overall_mean_cost_amount,
    -- Groups of the same pay everywhere know no coefficient of the institution. (同病同付)
    case
        when coalesce(level_standard.is_basic, standard.is_basic, catalogue.is_basic, false) then 1
        else coalesce(institution_factors.grade_coefficient, 1)
    end::numeric(10, 4) as coefficient,
    auxiliary.type_code as auxiliary_type,
    coalesce(auxiliary.coefficient, 1)::numeric(10, 4) as auxiliary_coefficient,
    -- Cases share in the pool of their scheme where anything says what they are worth: the group, or their cost.
    case
        when routed.scheme_version is null then false
        when routed.case_status = 'BED_DAY' then every_case.mean_cost is not null
        when routed.case_status in ('GROUPED', 'AMBIGUOUS')
            then coalesce(level_standard.weight, standard.weight, routed.catalogue_score, every_case.mean_cost)
            is not null
        when routed.case_status in ('UNGROUPED', 'CHECK_FAILED') then every_case.mean_cost is not null
        else false
    end as is_pooled
from routed
left join standards as level_standard
    on routed.area_code = level_standard.area_code
    and routed.scheme_version = level_standard.scheme_code
    and routed.priced_group_code = level_standard.group_code
    and routed.hosp_lv = level_standard.hosp_lv
left join all_levels as standard
    on routed.area_code = standard.area_code
    and routed.scheme_version = standard.scheme_code
    and routed.priced_group_code = standard.group_code
left join all_levels as every_case
    on routed.area_code = every_case.area_code
    and routed.scheme_version = every_case.scheme_code
    and every_case.group_code = '*'
left join institution_factors
    on routed.fixmedins_code = institution_factors.fixmedins_code
    and routed.scheme_version = institution_factors.scheme_code
    and left(routed.settlement_month, 4)::integer = institution_factors.budget_year
left join {{ ref('stg_grouper__schemes') }} as schemes
    on routed.scheme_version = schemes.version
left join {{ ref('stg_grouper__dip_groups') }} as catalogue
    on schemes.scheme_id = catalogue.scheme_id
    and routed.priced_group_code = catalogue.group_id
left join {{ ref('int_cases__auxiliary') }} as auxiliary
    on routed.fixmedins_code = auxiliary.fixmedins_code
    and routed.setl_id = auxiliary.setl_id
    -- Not for the routes of Chinese medicine.
    and routed.priced_group_code = routed.group_code
