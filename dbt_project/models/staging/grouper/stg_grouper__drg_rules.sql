-- Rules that lead into an ADRG.
select
    scheme_id,
    mdc,
    adrg_order,
    rule_id,
    match_rule,
    age_days_max,
    age_min,
    age_max_excl,
    los_min,
    los_max_excl,
    weight_min,
    weight_max_excl
from {{ source('grouper', 'drg_rule') }}
