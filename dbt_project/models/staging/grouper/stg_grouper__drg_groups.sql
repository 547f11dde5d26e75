-- Groups of a rule in the order they are tried, and what each asks for beyond a severity.
select
    scheme_id,
    rule_id,
    drg_order,
    drg_code,
    severity_rule,
    name,
    age_min,
    age_max_excl,
    los_min,
    los_max_excl,
    match_rule,
    coalesce(age_min, age_max_excl, los_min, los_max_excl) is not null or match_rule is not null as is_limited
from {{ source('grouper', 'drg_group') }}
