-- The tables whose records are sealed, each with the columns of its key, as their triggers name them.
select
    trigger.tgrelid::regclass::text as record_type,
    array_remove(string_to_array(encode(trigger.tgargs, 'escape'), '\000'), '') as key_columns
from pg_catalog.pg_trigger as trigger
where trigger.tgname = 'note_for_sealing'
order by record_type
