-- The first event that may not be posted, with the reason: checked here so that the message names the event.
with proposed_event as (

    select
        business_event_id,
        bool_or(is_repeated) as is_repeated,
        bool_or(is_inconsistent) as is_inconsistent,
        bool_or(amount <= 0 or amount <> round(amount, 2) or side not in ('debit', 'credit')) as has_bad_line,
        coalesce(sum(amount) filter (where side = 'debit'), 0) as debit_amount,
        coalesce(sum(amount) filter (where side = 'credit'), 0) as credit_amount
    from posting_proposal
    group by fixmedins_code, business_event_id

)

select
    case
        when is_repeated then 'event_repeated'
        when is_inconsistent then 'event_inconsistent'
        when has_bad_line then 'line_invalid'
        else 'event_unbalanced'
    end as fault,
    business_event_id,
    debit_amount,
    credit_amount
from proposed_event
where is_repeated or is_inconsistent or has_bad_line or debit_amount <> credit_amount
order by business_event_id
limit 1
