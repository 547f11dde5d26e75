{# The set of cases that the run groups; null outside a grouping run. #}
{% macro case_set() -%}
    {{ run_parameter('case_set') }}
{%- endmacro %}
