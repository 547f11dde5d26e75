-- The list that a seal is over: table, key and SHA-256 of each record, one a line, in the order of their bytes.
copy (
    select record_type, record_key, encode(sha256, 'hex')
    from pg_temp.record_to_seal
    order by record_type collate "C", record_key collate "C"
) to stdout
