-- What each inpatient case is booked at, and how that came about. (30-rules.md §9)
{{
    config(
        materialized='period_replace',
        period_predicate='settlement_month = ' ~ booked_month() ~ ' and ' ~ in_run_area('area_code'),
        contract={'enforced': true},
        indexes=[{'columns': ['settlement_month', 'area_code']}, {'columns': ['setl_id']}],
        tags=['booking'],
    )
}}
with cases as (

    select * from {{ ref('int_cases__to_price') }}

),

pointed as (

    select * from {{ ref('int_cases__pointed') }}

),

bed_days as (

    select * from {{ ref('int_cases__bed_days') }}

),

allotted as (

    select * from {{ ref('int_cases__allotted') }}

),

point_values as (

    select * from {{ ref('int_point_values') }}
    where settlement_month = {{ booked_month() }}

),

-- A case shares in its pool; is paid by its own rate; by the day; or stays booked as it was accrued.
based as (

    select
        cases.*,
        pointed.pricing_method,
        pointed.parameter_version,
        pointed.base_points,
        pointed.standard_amount,
        pointed.cost_ratio,
        pointed.deviation_type,
        pointed.factor,
        pointed.points,
        pointed.case_payment_amount,
        bed_days.fund_amount as bed_day_fund_amount,
        allotted.institution_amount,
        allotted.gross_amount,
        point_values.point_value,
        point_values.point_basis,
        case
            when allotted.setl_id is not null then 'points'
            when pointed.case_payment_amount is not null then 'case_rate'
            when bed_days.setl_id is not null and not cases.is_pooled then 'bed_day'
            else 'accrued'
        end as booking_basis
    from cases
    left join pointed
        on cases.fixmedins_code = pointed.fixmedins_code
        and cases.setl_id = pointed.setl_id
    left join bed_days
        on cases.fixmedins_code = bed_days.fixmedins_code
        and cases.setl_id = bed_days.setl_id
    left join allotted
        on cases.fixmedins_code = allotted.fixmedins_code
        and cases.setl_id = allotted.setl_id
    left join point_values
        on cases.area_code = point_values.area_code
        and cases.fund_pay_type = point_values.fund_pay_type
        and cases.scheme_version = point_values.scheme_version

),

booked as (

    select
        based.*,
        case booking_basis
            when 'points' then gross_amount - case point_basis when 'total_cost' then other_paid_amount else 0 end
            when 'case_rate' then case_payment_amount - other_paid_amount
            when 'bed_day' then bed_day_fund_amount
            else accrued_amount
        end as booked_amount
    from based

)

select
    fixmedins_code,
    setl_id,
    area_code,
    business_date,
    settlement_month,
    fund_pay_type,
    method,
    scheme_version,
    parameter_version,
    case_status,
    mdc,
    adrg,
    group_code,
    group_name,
    priced_group_code,
    weight::numeric(18, 4) as weight,
    base_points::numeric(18, 4) as base_points,
    coefficient,
    auxiliary_type,
    auxiliary_coefficient,
    standard_amount::numeric(18, 2) as standard_amount,
    cost_ratio::numeric(18, 4) as cost_ratio,
    deviation_type,
    factor::numeric(18, 4) as factor,
    points,
    booking_basis,
    stay_days,
    total_cost_amount::numeric(18, 2) as total_cost_amount,
    other_paid_amount::numeric(18, 2) as other_paid_amount,
    accrued_amount::numeric(18, 2) as accrued_amount,
    booked_amount::numeric(18, 2) as booked_amount,
    {{ is_provisional_booking() }} as is_provisional,
    explanation,
    concat_ws(
        '；',
        case case_status when 'LIST_MISSING' then '结算清单未到，按结算计提额暂记' end,
        explanation_zh,
        case
            when points is null then null
            when deviation_type = 'BY_COST' then '无分组标准，按费用折算点数 ' || points
            when deviation_type = 'BED_DAY' then '按床日折算点数 ' || points
            else
                '基准 ' || base_points || ' × 机构系数 ' || coefficient
                || case when auxiliary_type is null then '' else ' × 辅助分型 ' || auxiliary_type || ' ' || auxiliary_coefficient end
                || coalesce('，费用 ' || total_cost_amount || ' 为标准 ' || round(standard_amount, 2) || ' 的 ' || cost_ratio || ' 倍', '')
                || case deviation_type
                    when 'LOW' then '（低倍率）' when 'HIGH' then '（高倍率）' when 'EXTREME' then '（极高，专家评议）' else ''
                end
                || '，点数 ' || points
        end,
        case booking_basis
            when 'points'
                then '点值 ' || round(point_value, 4) || '，机构分得 ' || institution_amount || '，本例按点数最大余额法分得 '
                    || gross_amount
                    || case point_basis when 'total_cost' then '，减个人及其他支付 ' || other_paid_amount else '' end
            when 'case_rate' then '病例支付标准 ' || case_payment_amount || '，减个人及其他支付 ' || other_paid_amount
            when 'bed_day' then '按床日 ' || coalesce(stay_days, 1) || ' 天分段计算'
        end,
        '记账 ' || booked_amount::numeric(18, 2) || '，已计提 ' || accrued_amount::numeric(18, 2)
    ) as explanation_zh,
    concat_ws(
        '; ',
        case case_status when 'LIST_MISSING' then 'the settlement list has not come: booked as accrued until it does' end,
        explanation_en,
        case
            when points is null then null
            when deviation_type = 'BY_COST' then 'no standard for it: points by its cost ' || points
            when deviation_type = 'BED_DAY' then 'points by the day ' || points
            else
                'base ' || base_points || ' × institution ' || coefficient
                || case when auxiliary_type is null then '' else ' × auxiliary type ' || auxiliary_type || ' ' || auxiliary_coefficient end
                || coalesce(', cost ' || total_cost_amount || ' is ' || cost_ratio || ' times the standard ' || round(standard_amount, 2), '')
                || case deviation_type
                    when 'LOW' then ' (low)' when 'HIGH' then ' (high)' when 'EXTREME' then ' (extreme: for review)' else ''
                end
                || ', points ' || points
        end,
        case booking_basis
            when 'points'
                then 'point value ' || round(point_value, 4) || ', institution gets ' || institution_amount
                    || ', this case by its points (largest remainder) ' || gross_amount
                    || case point_basis
                        when 'total_cost' then ', less what patient and others paid ' || other_paid_amount else ''
                    end
            when 'case_rate'
                then 'case payment ' || case_payment_amount || ', less what patient and others paid ' || other_paid_amount
            when 'bed_day' then 'by tiers of ' || coalesce(stay_days, 1) || ' days'
        end,
        'booked ' || booked_amount::numeric(18, 2) || ', accrued ' || accrued_amount::numeric(18, 2)
    ) as explanation_en
from booked
