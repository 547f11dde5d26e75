insert into ledger.posting_run (
    area_code, purpose, entry_count, debit_total_amount, previous_seal, seal, posted_by
)
values (
    %(area_code)s, %(purpose)s, %(entry_count)s, %(total_amount)s, %(previous_seal)s, %(seal)s, %(posted_by)s
)
returning posting_run_id
