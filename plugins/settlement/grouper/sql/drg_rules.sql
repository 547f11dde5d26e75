select
    rules.mdc,
    rules.rule_id,
    rules.match_rule,
    concat_ws(
        ', ',
        'age in days <= ' || rules.age_days_max,
        'age >= ' || rules.age_min,
        'age < ' || rules.age_max_excl,
        'stay >= ' || rules.los_min,
        'stay < ' || rules.los_max_excl,
        'weight >= ' || rules.weight_min || ' g',
        'weight < ' || rules.weight_max_excl || ' g'
    ) as limits,
    coalesce(
        (
            select
                string_agg(
                    concat_ws(
                        ' ',
                        groups.drg_code,
                        groups.severity_rule,
                        'age>=' || groups.age_min,
                        'age<' || groups.age_max_excl,
                        'stay>=' || groups.los_min,
                        'stay<' || groups.los_max_excl,
                        'own lists ' || groups.match_rule
                    ),
                    '; ' order by groups.drg_order, groups.drg_code
                )
            from grouper.drg_group as groups
            where groups.scheme_id = rules.scheme_id and groups.rule_id = rules.rule_id
        ),
        rules.rule_id
    ) as groups
from grouper.drg_rule as rules
inner join grouper.drg_mdc as categories
    on rules.scheme_id = categories.scheme_id
    and rules.mdc = categories.mdc
where rules.scheme_id = %(scheme_id)s and starts_with(rules.rule_id, %(begins)s)
order by
    categories.eval_order,
    rules.mdc,
    rules.adrg_order,
    rules.rule_id
