-- Which account an institution was paid to last, and who else is paid to an account, is asked of every payment.
create index on ledger.payment_instruction (fixmedins_code, pay_date desc) where has_account;
create index on ledger.payment_instruction (account_no) where has_account;
