{#
    The (area_code, business_date) whose rows in the model's own table are missing or were computed from other rows
    than `versions` now names. `versions` gives one row per area and day with its day_version.

    The period_replace materialization deletes the rows of exactly these days. The dates are bounded on both sides,
    so that PostgreSQL reads the stored days through the index and not the whole table.
#}
{% macro touched_days(versions) -%}
    {{ days_to_replace(versions, this) }}
{%- endmacro %}

{% macro days_to_replace(versions, stored) -%}
    select
        versions.area_code,
        versions.business_date
    from {{ versions }} as versions
    left join (
        select distinct
            area_code,
            business_date,
            day_version
        from {{ stored }}
        where business_date between
            (select min(business_date) from {{ versions }})
            and (select max(business_date) from {{ versions }})
    ) as stored
        on versions.area_code = stored.area_code
        and versions.business_date = stored.business_date
        and versions.day_version = stored.day_version
    where stored.business_date is null
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
