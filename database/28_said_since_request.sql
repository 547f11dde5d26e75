-- What the bank has said, after a request was made, of the failed payments that a line of it replaces: an approver is shown
-- it, and what was said after the approval keeps the line from being sent. The refusal that was known when the request was
-- made is no news.
create view ledger.said_since_request as
select
    line.request_id,
    line.fixmedins_code,
    line.settlement_month,
    coalesce(bank_entry.status_code, bank_entry.side) as said,
    bank_entry.received_at
from ledger.payment_request_line as line
inner join ledger.payment_request
    on line.request_id = payment_request.request_id
inner join ledger.payment_instruction as failed
    on payment_request.area_code = failed.area_code
    and payment_request.fund_pay_type = failed.fund_pay_type
    and line.fixmedins_code = failed.fixmedins_code
    and line.settlement_month = failed.settlement_month
inner join ledger.payment_event
    on failed.fixmedins_code = payment_event.fixmedins_code
    and failed.instruction_id = payment_event.instruction_id
    and payment_event.event in ('rejected', 'returned')
inner join ledger.bank_entry as refusal
    on payment_event.bank_entry_id = refusal.bank_entry_id
    and payment_request.requested_at > refusal.received_at
inner join ledger.bank_entry
    on failed.instruction_id = bank_entry.instruction_id
    and payment_request.requested_at < bank_entry.received_at
where line.replaces_instruction_id is not null;
comment on view ledger.said_since_request is '请款后银行新答复 / What the bank said, after a request, of what its lines replace.';
grant select on ledger.said_since_request to poster;
