-- Records of one table that are not what was sealed: another content now, gone, or written around the seals.
with found as (

    select concat_ws('|', {key}) as record_key, sha256(convert_to(content::text, 'UTF8')) as sha256
    from (
        select ledger.record_content(record) as content from {relation} as record
    ) as written

),

noted as (

    select record_key, sha256 from ledger.sealed_record where record_type = %(record_type)s
    union all
    select record_key, sha256 from ledger.unsealed_record where record_type = %(record_type)s

)

select
    coalesce(found.record_key, noted.record_key) as record_key,
    case
        when found.record_key is null then 'removed'
        when noted.record_key is null then 'not_sealed'
        else 'changed'
    end as fault
from found
full outer join noted using (record_key)
where found.sha256 is distinct from noted.sha256
order by record_key
limit 20
