-- The inpatient settlements of the booked month, net of what was refunded of them, and how each is paid for.
{{ config(materialized='work_table', tags=['case_booking']) }}
with settlements as (

    select *
    from {{ ref('int_settlements__classified') }} as settlements
    where
        not is_refund
        and {{ is_inpatient_case('settlements') }}
        and business_date between {{ booked_month_start() }} and {{ booked_month_end() }}
        and {{ in_run_area('area_code') }}

),

-- Looked up by id, whenever they came.
refunds as (

    select
        fixmedins_code,
        init_setl_id as setl_id,
        sum(medfee_sumamt) as medfee_sumamt,
        sum(hifp_pay) as hifp_pay,
        sum(hosp_part_amt) as hosp_part_amt
    from {{ ref('int_settlements__classified') }}
    where init_setl_id = any(array(select settlements.setl_id from settlements))
    group by
        fixmedins_code,
        init_setl_id

),

methods as (

    select * from {{ ref('stg_reference__inpatient_methods') }}

),

institutions as (

    select * from {{ ref('stg_reference__institutions') }}

),

pooled_funds as (

    select * from {{ ref('fund_columns') }}
    where amount_column = 'hifp_pay'

),

-- The institution's own row before the area's; a named insurance type before all.
with_method as (

    select distinct on (settlements.fixmedins_code, settlements.setl_id)
        settlements.fixmedins_code,
        settlements.setl_id,
        settlements.person_key,
        settlements.area_code,
        settlements.business_date,
        settlements.insutype,
        pooled_funds.fund_pay_type,
        coalesce(methods.method, 'fee_for_service') as method,
        methods.scheme_code,
        institutions.hosp_lv,
        settlements.medfee_sumamt + coalesce(refunds.medfee_sumamt, 0) as total_cost_amount,
        settlements.hifp_pay + coalesce(refunds.hifp_pay, 0) as accrued_amount,
        settlements.hosp_part_amt + coalesce(refunds.hosp_part_amt, 0) as hospital_part_amount
    from settlements
    left join refunds
        on settlements.fixmedins_code = refunds.fixmedins_code
        and settlements.setl_id = refunds.setl_id
    inner join pooled_funds
        on settlements.insutype = pooled_funds.insutype
        and settlements.business_date between pooled_funds.valid_from
        and coalesce(pooled_funds.valid_to, date 'infinity')
    left join methods
        on settlements.area_code = methods.area_code
        and settlements.fixmedins_code = coalesce(methods.fixmedins_code, settlements.fixmedins_code)
        and settlements.insutype = coalesce(methods.insutype, settlements.insutype)
        and settlements.business_date between methods.valid_from and methods.valid_to
    left join institutions
        on settlements.fixmedins_code = institutions.fixmedins_code
        and settlements.business_date between institutions.valid_from and institutions.valid_to
    order by
        settlements.fixmedins_code asc,
        settlements.setl_id asc,
        methods.fixmedins_code is null,
        methods.insutype is null

)

select
    with_method.fixmedins_code,
    with_method.setl_id,
    with_method.person_key,
    with_method.area_code,
    with_method.business_date,
    {{ booked_month() }} as settlement_month,
    with_method.insutype,
    with_method.fund_pay_type,
    with_method.method,
    with_method.scheme_code as scheme_version,
    schemes.scheme_id,
    with_method.hosp_lv,
    with_method.total_cost_amount,
    with_method.accrued_amount,
    -- Patients and other funds; what the institution bears itself, nobody has paid.
    with_method.total_cost_amount - with_method.accrued_amount - with_method.hospital_part_amount as other_paid_amount,
    lists.setl_id is not null as has_list,
    lists.act_ipt_days as stay_days,
    lists.dscg_way as discharge_way
from with_method
left join {{ ref('stg_grouper__schemes') }} as schemes
    on with_method.scheme_code = schemes.version
left join {{ ref('stg_raw__settlement_lists') }} as lists
    on with_method.fixmedins_code = lists.fixmedins_code
    and with_method.setl_id = lists.setl_id
    and with_method.business_date = lists.business_date
-- What was refunded as a whole is no case any more.
where with_method.total_cost_amount > 0
