-- The tables whose records are sealed, each with the columns of its key as its trigger names them; without columns where
-- a table that has sealed records lost its trigger, or the trigger is switched off.
with triggers as (

    select
        trigger.tgrelid::regclass::text as record_type,
        array_remove(string_to_array(encode(trigger.tgargs, 'escape'), '\000'), '') as key_columns
    from pg_catalog.pg_trigger as trigger
    where trigger.tgname = 'note_for_sealing' and trigger.tgenabled in ('O', 'A')

),

sealed as (

    select distinct sealed_record.record_type from ledger.sealed_record

)

select
    coalesce(triggers.record_type, sealed.record_type) as record_type,
    coalesce(triggers.key_columns, '{}') as key_columns
from triggers
full outer join sealed using (record_type)
order by record_type
