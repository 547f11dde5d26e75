select
    setl_id, init_setl_id, is_refund, area_code, fixmedins_code, insutype, care_class, clr_type, business_date,
    settlement_month, batch_id, accepted_batch_id, medfee_amount, fund_pay_amount, account_pay_amount
from marts.fct_settlements
where setl_id = %(setl_id)s and fixmedins_code = %(fixmedins_code)s and business_date = %(business_date)s
