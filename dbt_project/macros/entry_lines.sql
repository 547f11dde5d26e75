{#
    The lines of entries, in the columns that every entry_ model has.

    `events` names a CTE with one row per business event: business_event_id, area_code, fixmedins_code, fund_pay_type,
    event_date, settlement_month, adjustment_amount (signed), source_id, reverses_event_id. Accounts come from the
    posting rules in force on the date; a negative amount swaps the sides. An event in a closed month is booked on the
    first day of the next open one. Both sides of a rule come from one amount, so entries balance by construction.
#}
{% macro entry_lines(event, events) %}
    select
        {{ events }}.business_event_id,
        (2 * posting_rules.step_no - case sides.is_debit_of_rule when true then 1 else 0 end)::integer as line_no,
        '{{ event }}'::text as event,
        {{ events }}.area_code,
        {{ events }}.fixmedins_code,
        {{ events }}.fund_pay_type,
        coalesce(next_open_months.next_open_date, {{ events }}.event_date)::date as accounting_date,
        {{ events }}.settlement_month,
        case
            when sides.is_debit_of_rule = ({{ events }}.adjustment_amount > 0) then 'debit'
            else 'credit'
        end::text as side,
        case sides.is_debit_of_rule when true then posting_rules.debit_account else posting_rules.credit_account end
            as account,
        abs({{ events }}.adjustment_amount)::numeric(18, 2) as amount,
        {{ events }}.source_id,
        {{ events }}.reverses_event_id
    from {{ events }}
    inner join {{ ref('posting_rules') }} as posting_rules
        on posting_rules.event = '{{ event }}'
        and {{ events }}.event_date between posting_rules.valid_from
        and coalesce(posting_rules.valid_to, date 'infinity')
    cross join (values (true), (false)) as sides (is_debit_of_rule)
    left join {{ ref('int_closed_months__next_open') }} as next_open_months
        on {{ events }}.area_code = next_open_months.area_code
        and {{ settlement_month(events ~ '.event_date') }} = next_open_months.settlement_month
    where {{ events }}.adjustment_amount <> 0
{% endmacro %}
