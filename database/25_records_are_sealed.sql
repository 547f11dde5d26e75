-- What leads to a payment, what a bank answered and who called the API is sealed as the entries are: each record leaves
-- its digest when it is written, and every run that pays or records seals the digests that wait, in one chain. What
-- happened before is sealed with the first of them.

create table ledger.record_seal (
    seal_id bigint generated always as identity primary key,
    record_count int not null check (record_count > 0),
    previous_seal text not null unique,
    seal text not null,
    sealed_at timestamptz not null default clock_timestamp()
);
comment on table ledger.record_seal is '记录封印链：请款、审批、指令、银行文件、回单与审计逐批封印 / The chain of seals over requests, decisions, instructions, bank files, bank answers and the audit trail.';
comment on column ledger.record_seal.seal is '对上一封印与本批记录摘要清单的 SM3 / SM3 over the previous seal and the list of the digests of its records.';

create table ledger.sealed_record (
    record_type text not null,
    record_key text not null,
    sha256 bytea not null,
    seal_id bigint not null references ledger.record_seal,
    primary key (record_type, record_key, seal_id)  -- what is put there beforehand stops no seal, and is found
);
comment on table ledger.sealed_record is '已封印的记录 / Each sealed record: its table, its key, and the SHA-256 of its content when it was written.';
create index on ledger.sealed_record (seal_id);

create table ledger.unsealed_record (
    record_type text not null,
    record_key text not null,
    sha256 bytea not null
);
comment on table ledger.unsealed_record is '待封印的记录 / Records written since the last seal; whoever seals takes them from here.';

-- The content of a record is its columns by name; an empty column is left out, so that one which comes later leaves what
-- is sealed as it is. Times are told in UTC, whatever the session's settings.
create function ledger.record_content(record anyelement) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
    select jsonb_strip_nulls(to_jsonb(record))
$$;

create function ledger.note_for_sealing() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
begin
    execute format(
        'insert into ledger.unsealed_record (record_type, record_key, sha256)
         select %L, concat_ws(''|'', %s), sha256(convert_to(content::text, ''UTF8''))
         from (select jsonb_strip_nulls(to_jsonb(added)) as content from added) as record',
        tg_table_schema || '.' || tg_table_name,
        (select string_agg(format('content ->> %L', key_column), ', ') from unnest(tg_argv) as key_column)
    );
    return null;
end
$$;
alter function ledger.note_for_sealing() owner to storage_owner;
grant usage on schema ledger to storage_owner;
grant insert on ledger.unsealed_record to storage_owner;

-- Who seals takes what waits, and can take out nothing else; what is taken and not sealed, the proof says.
create function ledger.take_unsealed_records()
returns table (record_type text, record_key text, sha256 bytea)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    delete from ledger.unsealed_record
    returning unsealed_record.record_type, unsealed_record.record_key, unsealed_record.sha256
$$;
alter function ledger.take_unsealed_records() owner to storage_owner;
revoke execute on function ledger.take_unsealed_records() from public;
grant select, delete on ledger.unsealed_record to storage_owner;

do $$
declare
    covered record;
begin
    for covered in
        select *
        from (
            values
            ('ledger.payment_run', '{area_code, pay_date}'::text []),
            ('ledger.payment_request', '{request_id}'),
            ('ledger.payment_request_line', '{request_id, fixmedins_code, settlement_month}'),
            ('ledger.payment_decision', '{request_id}'),
            ('ledger.payment_instruction', '{instruction_id}'),
            ('ledger.bank_file', '{message_id}'),
            ('ledger.bank_file_written', '{message_id}'),
            ('ledger.bank_entry', '{bank_entry_id}'),
            ('ledger.receipt_batch', '{batch_id}'),
            ('ledger.payment_event', '{fixmedins_code, instruction_id, event}'),
            ('ledger.suspension_event', '{suspension_id, event}'),
            ('ledger.settlement_period', '{area_code, settlement_month}'),
            (
                'ledger.point_value_publication',
                '{area_code, settlement_month, fund_pay_type, scheme_version, publication_no}'
            ),
            ('intake.batch_decision', '{batch_id, decided_at}'),
            ('raw.bank_transaction', '{row_hash}'),
            ('audit.api_call', '{api_call_id}'),
            ('audit.api_outcome', '{api_call_id}')
        ) as sealed (relation, key_columns)
    loop
        execute format(
            'create trigger note_for_sealing after insert on %s
             referencing new table as added
             for each statement execute function ledger.note_for_sealing(%s)',
            covered.relation,
            (select string_agg(quote_literal(key_column), ', ') from unnest(covered.key_columns) as key_column)
        );
        execute format(
            'insert into ledger.unsealed_record (record_type, record_key, sha256)
             select %L, concat_ws(''|'', %s), sha256(convert_to(content::text, ''UTF8''))
             from (select ledger.record_content(earlier) as content from %s as earlier) as record',
            covered.relation,
            (select string_agg(format('content ->> %L', key_column), ', ') from unnest(covered.key_columns) as key_column),
            covered.relation
        );
    end loop;
end
$$;

do $$
declare
    sealing_table text;
begin
    foreach sealing_table in array array['record_seal', 'sealed_record'] loop
        execute format(
            'create trigger refuse_change before update or delete on ledger.%I
             for each row execute function ledger.refuse_change()', sealing_table);
        execute format(
            'create trigger refuse_truncate before truncate on ledger.%I
             for each statement execute function ledger.refuse_change()', sealing_table);
    end loop;
end
$$;

grant select, insert on ledger.record_seal, ledger.sealed_record to poster;
grant execute on function ledger.take_unsealed_records() to poster;
grant select on ledger.record_seal, ledger.sealed_record, ledger.unsealed_record to auditor;
grant execute on function ledger.record_content(anyelement) to auditor;
