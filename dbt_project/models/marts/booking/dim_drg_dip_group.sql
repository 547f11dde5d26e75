-- Groups of every scheme, and what stands for cases that no group takes.
with schemes as (

    select * from {{ ref('stg_grouper__schemes') }}

),

drg_groups as (

    select distinct on (groups.scheme_id, groups.drg_code)
        groups.scheme_id,
        groups.drg_code as group_code,
        groups.name as group_name,
        rules.mdc,
        left(groups.rule_id, 3) as adrg,
        'group' as group_kind,
        null::numeric as catalogue_score
    from {{ ref('stg_grouper__drg_groups') }} as groups
    inner join {{ ref('stg_grouper__drg_rules') }} as rules
        on groups.scheme_id = rules.scheme_id
        and groups.rule_id = rules.rule_id
    order by
        groups.scheme_id asc,
        groups.drg_code asc,
        groups.rule_id asc

),

-- A rule whose groups do not take every case gives the others its own id. (90-drg-dip.md §1.4)
rules_with_gaps as (

    select
        rules.scheme_id,
        rules.rule_id as group_code,
        null as group_name,
        rules.mdc,
        left(rules.rule_id, 3) as adrg,
        'rule' as group_kind,
        null::numeric as catalogue_score
    from {{ ref('stg_grouper__drg_rules') }} as rules
    left join {{ ref('stg_grouper__drg_groups') }} as groups
        on rules.scheme_id = groups.scheme_id
        and rules.rule_id = groups.rule_id
        and not groups.is_limited
    group by
        rules.scheme_id,
        rules.rule_id,
        rules.mdc
    having
        not coalesce(
            bool_or(groups.severity_rule = 'ALWAYS')
            or (
                bool_or(groups.severity_rule = 'NONE')
                and (
                    bool_or(groups.severity_rule = 'MCC_OR_CC')
                    or (bool_or(groups.severity_rule = 'MCC') and bool_or(groups.severity_rule = 'CC'))
                )
            ),
            false
        )

),

ambiguous_groups as (

    select
        scheme_id,
        right(mdc, 1) || 'QY' as group_code,
        '歧义组' as group_name,
        mdc,
        right(mdc, 1) || 'QY' as adrg,
        'ambiguous' as group_kind,
        null::numeric as catalogue_score
    from {{ ref('stg_grouper__drg_categories') }}

),

dip_groups as (

    select
        scheme_id,
        group_id as group_code,
        name as group_name,
        null as mdc,
        null as adrg,
        lower(group_type) as group_kind,
        score as catalogue_score
    from {{ ref('stg_grouper__dip_groups') }}

),

outside as (

    select
        schemes.scheme_id,
        codes.group_code,
        codes.group_name,
        null as mdc,
        null as adrg,
        'outside' as group_kind,
        null::numeric as catalogue_score
    from schemes
    inner join (
        values ('drg', '0000', '无法入组'), ('dip', 'UNGROUPED', '无法入组'), ('dip', 'EXCLUDED_DX', '不按病种结算的诊断')
    ) as codes (kind, group_code, group_name)
        on schemes.kind = codes.kind

),

all_groups as (

    select * from drg_groups
    union all
    select rules_with_gaps.*
    from rules_with_gaps
    left join drg_groups
        on rules_with_gaps.scheme_id = drg_groups.scheme_id
        and rules_with_gaps.group_code = drg_groups.group_code
    where drg_groups.group_code is null
    union all
    select * from ambiguous_groups
    union all
    select * from dip_groups
    union all
    select * from outside

)

select
    schemes.version as scheme_version,
    all_groups.group_code,
    schemes.kind as scheme_kind,
    all_groups.group_name,
    all_groups.mdc,
    all_groups.adrg,
    all_groups.group_kind,
    all_groups.catalogue_score::numeric(18, 4) as catalogue_score
from all_groups
inner join schemes
    on all_groups.scheme_id = schemes.scheme_id
