-- Rules that lead into an ADRG.
select
    scheme_id,
    mdc,
    adrg_order,
    rule_id,
    match_rule,
    age_days_max,
    weight_min,
    weight_max_excl
from {{ source('grouper', 'drg_rule') }}
