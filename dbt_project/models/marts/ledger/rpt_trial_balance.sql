-- Debits and credits of each account by area, fund and accounting date, brought up to date by posting run.
{{
    config(
        materialized='period_replace',
        period_macro='dates_posted_since',
        indexes=[{'columns': ['area_code', 'last_posting_run_id']}],
        pre_hook="set local enable_nestloop = on",
        tags=['publication'],
    )
}}
-- The lines of a few dates' entries are looked up one by one: a hash join would read the lines of all history.
with dates_posted as (

    {{ dates_posted_since(this) }}

),

entries as (

    select entries.*
    from {{ ref('stg_ledger__entries') }} as entries
    inner join dates_posted
        on entries.area_code = dates_posted.area_code
        and entries.accounting_date = dates_posted.accounting_date
    where
        entries.accounting_date between
        (select min(first_dates.accounting_date) from dates_posted as first_dates)
        and (select max(last_dates.accounting_date) from dates_posted as last_dates)

),

entry_lines as (

    select * from {{ ref('stg_ledger__entry_lines') }}

)

select
    entries.area_code,
    entries.fund_pay_type,
    entries.accounting_date,
    entry_lines.account,
    coalesce(sum(entry_lines.amount) filter (where entry_lines.side = 'debit'), 0)::numeric(18, 2) as debit_amount,
    coalesce(sum(entry_lines.amount) filter (where entry_lines.side = 'credit'), 0)::numeric(18, 2) as credit_amount,
    sum(case entry_lines.side when 'debit' then entry_lines.amount else -entry_lines.amount end)::numeric(18, 2)
        as debit_minus_credit_amount,
    max(entries.posting_run_id) as last_posting_run_id
from entries
inner join entry_lines
    on entries.fixmedins_code = entry_lines.fixmedins_code
    and entries.business_event_id = entry_lines.business_event_id
group by
    entries.area_code,
    entries.fund_pay_type,
    entries.accounting_date,
    entry_lines.account
