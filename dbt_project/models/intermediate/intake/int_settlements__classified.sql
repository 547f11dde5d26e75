-- Accepted settlements with their care class and payment method.
with settlements as (

    select * from {{ ref('stg_raw__settlements') }}

),

care_class_prefixes as (

    select * from {{ ref('care_class_prefixes') }}

),

payment_methods as (

    select * from {{ ref('payment_methods') }}

)

select
    settlements.fixmedins_code,
    settlements.setl_id,
    settlements.init_setl_id,
    settlements.is_refund,
    settlements.person_key,
    settlements.insutype,
    settlements.med_type,
    coalesce(care_class_prefixes.care_class, 'outpatient') as care_class,
    settlements.clr_type,
    coalesce(area_methods.payment_method, national_methods.payment_method, 'other') as payment_method,
    settlements.insu_admdvs,
    settlements.mdtrtarea_admvs,
    settlements.medfee_sumamt,
    settlements.inscp_scp_amt,
    settlements.hifp_pay,
    settlements.cvlserv_pay,
    settlements.hifes_pay,
    settlements.hifmi_pay,
    settlements.hifob_pay,
    settlements.hifdm_pay,
    settlements.maf_pay,
    settlements.oth_pay,
    settlements.fund_pay_sumamt,
    settlements.acct_pay,
    settlements.psn_cash_pay,
    settlements.hosp_part_amt,
    settlements.area_code,
    settlements.business_date,
    settlements.batch_id,
    settlements.accepted_batch_id
from settlements
left join care_class_prefixes
    on left(settlements.med_type, 2) = care_class_prefixes.med_type_prefix
    and settlements.business_date between care_class_prefixes.valid_from
    and coalesce(care_class_prefixes.valid_to, date 'infinity')
left join payment_methods as area_methods
    on settlements.area_code = area_methods.area_code
    and settlements.clr_way = area_methods.clr_way
    and settlements.business_date between area_methods.valid_from
    and coalesce(area_methods.valid_to, date 'infinity')
left join payment_methods as national_methods
    on national_methods.area_code is null
    and settlements.clr_way = national_methods.clr_way
    and settlements.business_date between national_methods.valid_from
    and coalesce(national_methods.valid_to, date 'infinity')
