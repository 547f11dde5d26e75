-- Every accepted settlement and refund.
select
    setl_id,
    init_setl_id,
    is_refund,
    area_code,
    fixmedins_code,
    person_key,
    insutype,
    med_type,
    care_class,
    clr_type,
    payment_method,
    business_date,
    {{ settlement_month('business_date') }} as settlement_month,
    batch_id,
    accepted_batch_id,
    medfee_sumamt as medfee_amount,
    inscp_scp_amt as inscp_amount,
    fund_pay_sumamt as fund_pay_amount,
    acct_pay as account_pay_amount,
    psn_cash_pay as person_cash_amount,
    hosp_part_amt as institution_borne_amount
from {{ ref('int_settlements__classified') }}
