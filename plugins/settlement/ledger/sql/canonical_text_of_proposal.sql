-- The canonical text of what is about to be posted: line by line what canonical_text.sql will read from the books.
copy (
    select
        business_event_id,
        line_no,
        event,
        area_code,
        fixmedins_code,
        fund_pay_type,
        to_char(accounting_date, 'YYYY-MM-DD') as accounting_date,
        settlement_month,
        source_id,
        reverses_event_id,
        side,
        account,
        amount
    from posting_proposal
    order by business_event_id collate "C", line_no
) to stdout
