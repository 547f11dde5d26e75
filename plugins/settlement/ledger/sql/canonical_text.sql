-- The canonical text of a posting run: COPY's text form of these columns in this order, one row per line.
-- Anyone can repeat it with psql and `openssl dgst -sm3`; dates are spelled out, so no session setting changes it.
copy (
    select
        entry.business_event_id,
        entry_line.line_no,
        entry.event,
        entry.area_code,
        entry.fixmedins_code,
        entry.fund_pay_type,
        to_char(entry.accounting_date, 'YYYY-MM-DD') as accounting_date,
        entry.settlement_month,
        entry.source_id,
        entry.reverses_event_id,
        entry_line.side,
        entry_line.account,
        entry_line.amount
    from ledger.entry
    inner join ledger.entry_line
        on entry.fixmedins_code = entry_line.fixmedins_code
        and entry.business_event_id = entry_line.business_event_id
    where entry.posting_run_id = %(posting_run_id)s
    order by entry.business_event_id collate "C", entry_line.line_no
) to stdout
