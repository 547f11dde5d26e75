-- Accepted settlements and refunds, without those of stopped batches.
select
    fixmedins_code,
    setl_id,
    init_setl_id,
    (refd_setl_flag = 1) as is_refund,
    mdtrt_id,
    person_key,
    gend,
    brdy,
    insutype,
    psn_type,
    med_type,
    clr_type,
    clr_way,
    insu_admdvs,
    mdtrtarea_admvs,
    setl_time,
    begndate,
    enddate,
    dise_codg,
    medfee_sumamt,
    fulamt_ownpay_amt,
    overlmt_selfpay,
    preselfpay_amt,
    inscp_scp_amt,
    hifp_pay,
    cvlserv_pay,
    hifes_pay,
    hifmi_pay,
    hifob_pay,
    hifdm_pay,
    maf_pay,
    oth_pay,
    fund_pay_sumamt,
    psn_part_amt,
    acct_pay,
    psn_cash_pay,
    hosp_part_amt,
    area_code,
    business_date,
    batch_id,
    accepted_batch_id
from {{ source('raw', 'settlement') }} as settlements
where not exists (
    select
    from {{ source('intake', 'stopped_batch') }} as stopped_batches
    where stopped_batches.batch_id = settlements.accepted_batch_id
)
