-- The list that a seal was made over, as it stands now; anyone can repeat it with psql and `openssl dgst -sm3`.
copy (
    select record_type, record_key, encode(sha256, 'hex')
    from ledger.sealed_record
    where seal_id = %(seal_id)s
    order by record_type collate "C", record_key collate "C"
) to stdout
