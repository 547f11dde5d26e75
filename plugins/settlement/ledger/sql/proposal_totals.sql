-- How much is to be posted.
select
    count(*) filter (where line_no = 1) as entry_count,
    count(*) as line_count,
    coalesce(sum(amount) filter (where side = 'debit'), 0)::numeric(18, 2) as total_amount
from posting_proposal
