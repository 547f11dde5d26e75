-- An approver approves an account, not only an amount: the request keeps the account that was valid on its pay date, and
-- money goes to that account or nowhere. An account that is changed or ended afterwards is never paid to in its stead:
-- the line is then written and not sent, and its money stays payable and is requested again, with the new account.

alter table ledger.payment_request_line
    add column account_name text,
    add column account_no text,
    add column bank_code text,
    add constraint payment_request_line_account
    check (num_nulls(account_name, account_no, bank_code) in (0, 3));
comment on column ledger.payment_request_line.account_name is '请款时的收款户名 / Name of the account valid on the pay date when the money was requested; empty where there was none.';
comment on column ledger.payment_request_line.account_no is '请款时的收款账号 / Its number: the only account that the line may be paid to.';
comment on column ledger.payment_request_line.bank_code is '请款时的开户行联行号 / Its bank (CNAPS code).';

-- Requests of before were made without an account. Those that are still to be paid get the one valid on their pay date,
-- which is what they would have been paid to; what is instructed or rejected stays as it was written.
alter table ledger.payment_request_line disable trigger refuse_change;
update ledger.payment_request_line as line
set
    account_name = bank_account.account_name,
    account_no = bank_account.account_no,
    bank_code = bank_account.bank_code
from ledger.payment_request
left join ledger.payment_decision
    on payment_request.request_id = payment_decision.request_id
inner join reference.bank_account
    on payment_request.pay_date between bank_account.valid_from and coalesce(bank_account.valid_to, date 'infinity')
where
    line.request_id = payment_request.request_id
    and line.fixmedins_code = bank_account.fixmedins_code
    and payment_decision.decision is distinct from 'rejected'
    and not exists (
        select
        from ledger.payment_instruction
        where payment_instruction.request_id = payment_request.request_id
    );
alter table ledger.payment_request_line enable trigger refuse_change;

alter table ledger.payment_instruction
    add column is_account_changed boolean not null default false,
    add constraint payment_instruction_account_changed check (not (is_account_changed and has_account));
comment on column ledger.payment_instruction.is_account_changed is '请款后收款账户已变更或失效 / Whether the account that was approved is no longer the institution''s: nothing is sent.';
