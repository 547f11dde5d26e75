-- The first event that may not be posted, with the reason. That an event balances is the ledger's own check.
select
    case
        when is_repeated then 'event_repeated'
        when is_inconsistent then 'event_inconsistent'
        else 'line_invalid'
    end as fault,
    business_event_id
from posting_proposal
where is_repeated or is_inconsistent or is_invalid
order by business_event_id, line_no
limit 1
