{# The batches that stand in the model's own table already. #}
{% macro counted_batches() -%}
    select distinct accepted_batch_id
    from {{ this }}
{%- endmacro %}
