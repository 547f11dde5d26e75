{#
    What each entry of the given events adds to what an institution is owed: the entry's keys and `payable_amount`, in
    yuan, negative where it owes less. The other side of an entry says the same and is left out.
#}
{% macro payable_movements(events) %}
    select
        entries.fixmedins_code,
        entries.business_event_id,
        entries.event,
        entries.area_code,
        entries.fund_pay_type,
        entries.settlement_month,
        entries.source_id,
        case entry_lines.side when 'credit' then entry_lines.amount else -entry_lines.amount end as payable_amount
    from {{ ref('stg_ledger__entries') }} as entries
    inner join {{ ref('stg_ledger__entry_lines') }} as entry_lines
        on entries.fixmedins_code = entry_lines.fixmedins_code
        and entries.business_event_id = entry_lines.business_event_id
        and entry_lines.account = 'payable_institution'
    where entries.event in ('{{ events | join("', '") }}')
{% endmacro %}
