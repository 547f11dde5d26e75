{#
    The (area_code, business_date) whose rows in the model's own table are missing or were computed from other rows
    than `versions` now names. `versions` gives one row per area and day with its day_version.

    The period_replace materialization deletes the rows of exactly these days. The rows of a day were computed together
    and share one version, so one of them stands for all: a day costs one look into the index, whatever it holds.
#}
{% macro touched_days(versions) -%}
    {{ days_to_replace(versions, this) }}
{%- endmacro %}

{% macro days_to_replace(versions, stored) -%}
    select
        versions.area_code,
        versions.business_date
    from {{ versions }} as versions
    where
        versions.day_version is distinct from (
            select stored.day_version
            from {{ stored }} as stored
            where
                stored.area_code = versions.area_code
                and stored.business_date = versions.business_date
            limit 1
        )
{%- endmacro %}

{# Rows of touched days, with both bounds, so that partitions and block ranges of other months are not read. #}
{% macro on_touched_days(relation) -%}
    ({{ relation }}.area_code, {{ relation }}.business_date) in (
        select area_code, business_date from touched_days
    )
    and {{ relation }}.business_date between
    (select min(business_date) from touched_days)
    and (select max(business_date) from touched_days)
{%- endmacro %}
