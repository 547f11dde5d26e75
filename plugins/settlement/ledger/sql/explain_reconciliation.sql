select
    insutype, clr_type, business_date, period_end_date, declared_settlement_count, accepted_settlement_count,
    declared_fund_pay_amount, accepted_fund_pay_amount, stmt_rslt, is_held, declaration_batch_id
from marts.fct_reconciliations
where
    fixmedins_code = %(fixmedins_code)s
    and %(business_date)s between business_date and coalesce(period_end_date, business_date)
    and (insutype, clr_type) in (
        select settlements.insutype, settlements.clr_type
        from marts.fct_settlements as settlements
        where settlements.setl_id = %(setl_id)s
            and settlements.fixmedins_code = %(fixmedins_code)s
            and settlements.business_date = %(business_date)s
    )
order by business_date, period_end_date
