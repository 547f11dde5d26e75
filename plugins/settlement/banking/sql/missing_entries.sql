-- What the batch recorded and the books do not hold: each event of an instruction and each movement in suspense has an
-- entry. An amount of nothing moves nothing.
select
    recorded.business_event_id
from (
    select
        payment_event.fixmedins_code,
        concat_ws(':', payment_event.fixmedins_code, payment_event.event, payment_event.instruction_id)
            as business_event_id
    from ledger.bank_entry
    inner join ledger.payment_event
        on bank_entry.bank_entry_id = payment_event.bank_entry_id
    where bank_entry.batch_id = %(batch_id)s
    union all
    select
        concat('A', area_code, '00000') as fixmedins_code,
        concat_ws(':', concat('A', area_code, '00000'), 'suspense', bank_entry_id) as business_event_id
    from ledger.bank_entry
    where
        batch_id = %(batch_id)s
        and kind = 'booked'
        and outcome in ('unknown', 'not_expected')
        and amount > 0
    union all
    select
        concat('A', area_code, '00000') as fixmedins_code,
        concat_ws(':', concat('A', area_code, '00000'), 'suspense_cleared', explains_bank_entry_id, bank_entry_id)
            as business_event_id
    from ledger.bank_entry
    where
        batch_id = %(batch_id)s
        and explains_bank_entry_id is not null
        and amount > 0
) as recorded
left join ledger.entry
    on recorded.fixmedins_code = entry.fixmedins_code
    and recorded.business_event_id = entry.business_event_id
where entry.business_event_id is null
order by recorded.business_event_id
limit 1
