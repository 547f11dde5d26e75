insert into ledger.bank_file (
    message_id, request_id, area_code, fund_pay_type, pay_date, transaction_count, control_sum_amount, sha256, content,
    csv_content
)
values (
    %(message_id)s, %(request_id)s, %(area_code)s, %(fund_pay_type)s, %(pay_date)s, %(transaction_count)s,
    %(control_sum_amount)s, %(sha256)s, %(content)s, %(csv_content)s
)
