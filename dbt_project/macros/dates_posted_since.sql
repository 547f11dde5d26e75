{#
    The (area_code, accounting_date) that posting runs newer than those in `stored` have posted to. Runs of an area
    follow one another (their seals form a chain), so the newest stored run says what is missing. Once the rows of
    these dates are deleted the same dates are found again, because the newest runs of a date stood in its rows.

    Runs are few and entries are many: the new runs are found first, and their numbers bound what is read of the books.
#}
{% macro dates_posted_since(stored) -%}
    with new_runs as (

        select runs.posting_run_id
        from {{ ref('stg_ledger__posting_runs') }} as runs
        left join (
            select
                area_code,
                max(last_posting_run_id) as last_posting_run_id
            from {{ stored }}
            group by area_code
        ) as published
            on runs.area_code = published.area_code
        where runs.posting_run_id > coalesce(published.last_posting_run_id, 0)

    )

    select distinct
        entries.area_code,
        entries.accounting_date
    from {{ ref('stg_ledger__entries') }} as entries
    where
        entries.posting_run_id in (select new_runs.posting_run_id from new_runs)
        and entries.posting_run_id between
        (select min(new_runs.posting_run_id) from new_runs)
        and (select max(new_runs.posting_run_id) from new_runs)
{%- endmacro %}
