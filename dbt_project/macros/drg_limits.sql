{# Whether a case is within the ages (completed years) and stays (days) that a rule or a group is for. A stay that is not
   known is within no limit. #}
{% macro is_within_limits(limits, has) -%}
    (
        ({{ limits }}.age_min is null or {{ has }}.age_years >= {{ limits }}.age_min)
        and ({{ limits }}.age_max_excl is null or {{ has }}.age_years < {{ limits }}.age_max_excl)
        and ({{ limits }}.los_min is null or {{ has }}.stay_days >= {{ limits }}.los_min)
        and ({{ limits }}.los_max_excl is null or {{ has }}.stay_days < {{ limits }}.los_max_excl)
    )
{%- endmacro %}

{# Whether a group takes a case of a severity. (90-drg-dip.md §2.2 step 5) #}
{% macro takes_severity(severity_rule, has_mcc, has_cc, is_death) -%}
    case {{ severity_rule }}
        when 'ALWAYS' then true
        when 'MCC' then {{ has_mcc }}
        when 'CC' then {{ has_cc }}
        when 'MCC_OR_CC' then {{ has_mcc }} or {{ has_cc }}
        when 'NONE' then not ({{ has_mcc }} or {{ has_cc }})
        when 'DEATH' then {{ is_death }}
    end
{%- endmacro %}
