{#
    The (area_code, accounting_date) that posting runs newer than those in `stored` have posted to. Runs of an area
    follow one another (their seals form a chain), so the newest stored run says what is missing. Once the rows of
    these dates are deleted the same dates are found again, because the newest runs of a date stood in its rows.
#}
{% macro dates_posted_since(stored) -%}
    select distinct
        entries.area_code,
        entries.accounting_date
    from {{ ref('stg_ledger__entries') }} as entries
    left join (
        select
            area_code,
            max(last_posting_run_id) as last_posting_run_id
        from {{ stored }}
        group by area_code
    ) as published
        on entries.area_code = published.area_code
    where entries.posting_run_id > coalesce(published.last_posting_run_id, 0)
{%- endmacro %}
