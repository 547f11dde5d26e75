-- Take what waits for a seal out of the queue; what is written meanwhile waits for the next one.
insert into pg_temp.record_to_seal (record_type, record_key, sha256)
select record_type, record_key, sha256 from ledger.take_unsealed_records()
