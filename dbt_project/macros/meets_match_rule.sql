{#
    What a match rule asks, against what the lists hold of a case: `asks` is a relation with the columns of the seed
    drg_match_rules, `has` one with the facts of a case. A rule and a group with lists of its own are judged alike.
#}
{% macro meets_diagnoses(asks, has) -%}
    (
        (not {{ asks }}.principal_diagnosis or {{ has }}.has_principal_diagnosis)
        and (not {{ asks }}.any_diagnosis or {{ has }}.has_any_diagnosis)
        and (not {{ asks }}.secondary_diagnosis or {{ has }}.has_secondary_diagnosis)
    )
{%- endmacro %}

{% macro meets_operation_lists(asks, has) -%}
    (
        {{ asks }}.operation_slots is null
        or {{ has }}.slot_bits & {{ asks }}.operation_slots = {{ asks }}.operation_slots
        or coalesce({{ has }}.slot_bits & {{ asks }}.or_operation_slots = {{ asks }}.or_operation_slots, false)
    )
{%- endmacro %}

{% macro meets_operations(asks, has) -%}
    (
        (not {{ asks }}.principal_operation or {{ has }}.has_principal_operation)
        and {{ meets_operation_lists(asks, has) }}
        and case {{ asks }}.valid_operation
            when 'PRINCIPAL' then {{ has }}.is_principal_operation_valid
            when 'NO_PRINCIPAL' then not {{ has }}.is_principal_operation_valid
            when 'ANY' then {{ has }}.has_valid_operation
            when 'NONE' then not {{ has }}.has_valid_operation
            else true
        end
    )
{%- endmacro %}
