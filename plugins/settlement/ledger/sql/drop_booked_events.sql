-- Leave only what the books do not hold yet.
delete from posting_proposal
using ledger.entry
where posting_proposal.fixmedins_code = entry.fixmedins_code
    and posting_proposal.business_event_id = entry.business_event_id
