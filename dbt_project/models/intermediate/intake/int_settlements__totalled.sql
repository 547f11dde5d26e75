-- Settlements of a day added up by batch and kind of care: the one pass over them that everything daily reads.
{{
    config(
        materialized='period_replace',
        period_versions='int_accepted_days__versioned',
        contract={'enforced': true},
        indexes=[
            {'columns': ['business_date', 'area_code']},
            {'columns': ['accepted_batch_id', 'business_date']},
        ],
        tags=['reconciliation', 'proposal'],
    )
}}
with touched_days as (

    {{ touched_days(ref('int_accepted_days__versioned')) }}

),

versions as (

    select * from {{ ref('int_accepted_days__versioned') }}

),

settlements as (

    select *
    from {{ ref('int_settlements__classified') }} as settlements
    where {{ on_touched_days('settlements') }}

),

totals as (

    select
        fixmedins_code,
        business_date,
        accepted_batch_id,
        insutype,
        clr_type,
        care_class,
        area_code,
        sum(case when is_refund then -1 else 1 end)::integer as settlement_count,
        sum(medfee_sumamt)::numeric(18, 2) as medfee_amount,
        sum(fund_pay_sumamt)::numeric(18, 2) as fund_pay_amount,
        sum(hifp_pay)::numeric(18, 2) as hifp_pay,
        sum(cvlserv_pay)::numeric(18, 2) as cvlserv_pay,
        sum(hifes_pay)::numeric(18, 2) as hifes_pay,
        sum(hifmi_pay)::numeric(18, 2) as hifmi_pay,
        sum(hifob_pay)::numeric(18, 2) as hifob_pay,
        sum(hifdm_pay)::numeric(18, 2) as hifdm_pay,
        sum(maf_pay)::numeric(18, 2) as maf_pay,
        sum(oth_pay)::numeric(18, 2) as oth_pay,
        sum(acct_pay)::numeric(18, 2) as acct_pay
    from settlements
    group by
        fixmedins_code,
        business_date,
        accepted_batch_id,
        insutype,
        clr_type,
        care_class,
        area_code

)

select
    totals.fixmedins_code,
    totals.business_date,
    totals.accepted_batch_id,
    totals.insutype,
    totals.clr_type,
    totals.care_class,
    totals.area_code,
    totals.settlement_count,
    totals.medfee_amount,
    totals.fund_pay_amount,
    totals.hifp_pay,
    totals.cvlserv_pay,
    totals.hifes_pay,
    totals.hifmi_pay,
    totals.hifob_pay,
    totals.hifdm_pay,
    totals.maf_pay,
    totals.oth_pay,
    totals.acct_pay,
    versions.day_version
from totals
inner join versions
    on totals.area_code = versions.area_code
    and totals.business_date = versions.business_date
