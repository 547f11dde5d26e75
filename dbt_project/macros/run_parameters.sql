{#
    Parameters of a run arrive as session settings (settlement.<name>), so that no clock and no `--vars` enters a
    model: other `--vars` would make dbt parse the project anew. Unit tests override these macros.
#}
{% macro run_parameter(name) -%}
    nullif(current_setting('settlement.{{ name }}', true), '')
{%- endmacro %}

{# The day the run pays on; null outside a payment run. #}
{% macro pay_date() -%}
    {{ run_parameter('pay_date') }}::date
{%- endmacro %}

{# The one area of the run; null means every area. #}
{% macro area_code() -%}
    {{ run_parameter('area_code') }}
{%- endmacro %}

{# The batch being recorded; null outside the recording of a batch. #}
{% macro batch_id() -%}
    {{ run_parameter('batch_id') }}
{%- endmacro %}

{# True for rows of the run's area, and for all rows when the run is for every area. #}
{% macro in_run_area(column) -%}
    {{ column }} = coalesce({{ area_code() }}, {{ column }})
{%- endmacro %}

{# The month whose inpatient cases the run books, as 2026-03; null outside a booking run. #}
{% macro booked_month() -%}
    {{ run_parameter('booked_month') }}
{%- endmacro %}

{% macro booked_month_start() -%}
    to_date({{ booked_month() }}, 'YYYY-MM')
{%- endmacro %}

{% macro booked_month_end() -%}
    ({{ booked_month_start() }} + interval '1 month' - interval '1 day')::date
{%- endmacro %}

{# True while cases are booked one by one as their lists come, before the month itself is booked. #}
{% macro is_provisional_booking() -%}
    coalesce({{ run_parameter('booking') }} = 'provisional', false)
{%- endmacro %}
