{# Round to whole fen, half away from zero: PostgreSQL's rounding of numeric. Used once, at the last step. #}
{% macro yuan(expression) -%}
    round({{ expression }}, 2)::numeric(18, 2)
{%- endmacro %}
