{#
    Pay dates go forward (30-rules §4.3): once an area was paid, a run for an earlier date finishes what was
    interrupted, and what came late goes with the next pay date.
#}

{# True where the area was paid on the pay date of the run, or on a later one. #}
{% macro is_paid_already(area_code) -%}
    {{ is_paid_since(area_code, '>=') }}
{%- endmacro %}

{# True where the area was paid on a later pay date than that of the run. #}
{% macro is_paid_later(area_code) -%}
    {{ is_paid_since(area_code, '>') }}
{%- endmacro %}

{% macro is_paid_since(area_code, since) -%}
    exists (
        select
        from {{ ref('stg_ledger__payment_runs') }} as payment_runs
        where payment_runs.area_code = {{ area_code }} and payment_runs.pay_date {{ since }} {{ pay_date() }}
    )
{%- endmacro %}
