-- Which bank files have reached the outbox: what a run leaves unwritten, a later run writes, whatever its pay date.
create table ledger.bank_file_written (
    message_id text primary key references ledger.bank_file,
    written_at timestamptz not null default clock_timestamp()
);
comment on table ledger.bank_file_written is '已写出的银行文件 / Bank files that reached the outbox; append-only.';
-- Files of before count as written: the bank has had them.
insert into ledger.bank_file_written (message_id) select message_id from ledger.bank_file;
create trigger refuse_change before update or delete on ledger.bank_file_written
for each row execute function ledger.refuse_change();
create trigger refuse_truncate before truncate on ledger.bank_file_written
for each statement execute function ledger.refuse_change();
grant select, insert on ledger.bank_file_written to poster;
grant select on ledger.bank_file_written to transformer, auditor;
