-- Areas, of all or of the one, for which an entry is proposed that the books do not hold.
with proposed as (
    select area_code, fixmedins_code, business_event_id from entries.entry_accrued
    union all
    select area_code, fixmedins_code, business_event_id from entries.entry_deducted
    union all
    select area_code, fixmedins_code, business_event_id from entries.entry_restored
)

select distinct proposed.area_code
from proposed
where
    (%(area_code)s::text is null or proposed.area_code = %(area_code)s)
    and not exists (
        select
        from ledger.entry
        where
            entry.fixmedins_code = proposed.fixmedins_code
            and entry.business_event_id = proposed.business_event_id
    )
order by proposed.area_code
