-- An offered event that the books hold already; usually none, because the models offer what is missing.
select posting_proposal.business_event_id
from posting_proposal
inner join ledger.entry
    on posting_proposal.fixmedins_code = entry.fixmedins_code
    and posting_proposal.business_event_id = entry.business_event_id
where posting_proposal.line_no = 1
limit 1
