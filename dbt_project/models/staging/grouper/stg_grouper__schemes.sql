-- Versions of grouping schemes.
select
    scheme_id,
    kind,
    version,
    name,
    document,
    valid_from,
    valid_to,
    coalesce(options ->> 'op_match_scope', 'PRINCIPAL') as op_match_scope
from {{ source('grouper', 'scheme') }}
