{# The settlement month of a date, as text: 2026-03. #}
{% macro settlement_month(date_column) -%}
    to_char({{ date_column }}, 'YYYY-MM')
{%- endmacro %}

{# The code that stands for an area itself where a key asks for an institution: A33010000000. #}
{% macro area_party(area_column) -%}
    'A' || {{ area_column }} || '00000'
{%- endmacro %}
