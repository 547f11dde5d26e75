{# The newest value of each pool that was published for an earlier month: what cases are booked by until theirs is. #}
{% macro earlier_point_values(published) -%}
    select distinct on (published.area_code, published.fund_pay_type, published.scheme_version)
        published.area_code,
        published.fund_pay_type,
        published.scheme_version,
        published.point_value
    from {{ published }} as published
    where
        published.settlement_month < {{ booked_month() }}
        and not published.is_provisional
        and published.point_value is not null
    order by
        published.area_code asc,
        published.fund_pay_type asc,
        published.scheme_version asc,
        published.settlement_month desc
{%- endmacro %}
