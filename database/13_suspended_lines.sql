-- An institution may be suspended after its payment was requested and before somebody approves the request (§4.4). Its
-- line is then written and not sent, like one without an account: its money stays payable.
alter table ledger.payment_instruction
    add column suspended_by text,
    add constraint payment_instruction_suspended check (suspended_by is null or not has_account);
comment on column ledger.payment_instruction.has_account is '是否有可付的收款账户 / Whether there is an account to pay to: without one nothing is sent.';
comment on column ledger.payment_instruction.suspended_by is '请款后暂停拨付所依据的风控规则 / Risk rules that suspended the institution after the request; nothing is sent.';
