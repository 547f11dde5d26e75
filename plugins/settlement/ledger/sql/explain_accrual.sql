-- The accrual entries that hold the settlement: those of its batch, institution, day and funds.
select
    entry.business_event_id, entry.accounting_date, entry_line.side, entry_line.account, entry_line.amount,
    entry.posting_run_id
from ledger.entry
inner join ledger.entry_line
    on entry.fixmedins_code = entry_line.fixmedins_code
    and entry.business_event_id = entry_line.business_event_id
where
    entry.fixmedins_code = %(fixmedins_code)s
    and entry.business_event_id in (
        select
            concat_ws(
                ':', funds.fixmedins_code, 'accrued', settlements.accepted_batch_id, funds.fund_pay_type,
                funds.business_date
            )
        from marts.fct_settlement_funds as funds
        inner join marts.fct_settlements as settlements
            on funds.setl_id = settlements.setl_id
            and funds.fixmedins_code = settlements.fixmedins_code
            and funds.business_date = settlements.business_date
        where funds.setl_id = %(setl_id)s
            and funds.fixmedins_code = %(fixmedins_code)s
            and funds.business_date = %(business_date)s
    )
order by entry.business_event_id, entry_line.line_no
