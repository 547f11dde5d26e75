{#
    The newest value of each pool that was published for an earlier month: what cases are booked by until theirs is. A
    pool that is paid by a rate has a weight for a point, so that its value is a rate.
#}
{% macro earlier_point_values() -%}
    select distinct on (publications.area_code, publications.fund_pay_type, publications.scheme_version)
        publications.area_code,
        publications.fund_pay_type,
        publications.scheme_version,
        publications.point_value
    from {{ ref('stg_ledger__point_value_publications') }} as publications
    where publications.settlement_month < {{ booked_month() }}
    order by
        publications.area_code asc,
        publications.fund_pay_type asc,
        publications.scheme_version asc,
        publications.settlement_month desc,
        publications.publication_no desc
{%- endmacro %}
