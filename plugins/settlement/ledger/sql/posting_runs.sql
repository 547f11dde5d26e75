-- The posting runs of an area in the order of their chain, and whether the recorded totals are those of the entries.
select
    posting_run.posting_run_id,
    posting_run.previous_seal,
    posting_run.seal,
    posting_run.entry_count = totals.entry_count and posting_run.debit_total_amount = totals.debit_total_amount
        as has_same_totals
from ledger.posting_run
cross join lateral (
    select
        count(distinct (entry.fixmedins_code, entry.business_event_id)) as entry_count,
        coalesce(sum(entry_line.amount) filter (where entry_line.side = 'debit'), 0) as debit_total_amount
    from ledger.entry
    inner join ledger.entry_line
        on entry.fixmedins_code = entry_line.fixmedins_code
        and entry.business_event_id = entry_line.business_event_id
    where entry.posting_run_id = posting_run.posting_run_id
) as totals
where posting_run.area_code = %(area_code)s
order by posting_run.posting_run_id
