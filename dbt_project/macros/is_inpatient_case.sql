{#
    True for settlements that are booked as inpatient cases. Childbirth in hospital is one: schemes group it as any other
    stay.
#}
{% macro is_inpatient_case(settlements) -%}
    (
        {{ settlements }}.care_class = 'inpatient'
        or ({{ settlements }}.care_class = 'maternity' and {{ settlements }}.clr_type = '21')
    )
{%- endmacro %}
