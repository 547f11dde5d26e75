-- What runs with somebody else's rights, and what runs inside somebody else's statement, finds nothing of the caller's:
-- PostgreSQL looks for tables and types in the caller's temporary schema first, unless the path names it last. A
-- temporary view `pg_tables`, or a temporary type `record`, would else be taken for the catalogue's own.

-- Who owns what the loader may have done on its behalf: tables whose partitions are made and whose statistics are
-- gathered. Nobody logs in as it, and it is no superuser. An administrator who is none must be a member to hand over.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'storage_owner') then
        create role storage_owner nologin nosuperuser nocreatedb nocreaterole noinherit;
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'decider') then
        create role decider login nosuperuser nocreatedb nocreaterole noinherit;
    end if;
    if not pg_has_role(current_user, 'storage_owner', 'usage') then
        execute format('grant storage_owner to %I', current_user);
    end if;
end
$$;

do $$
declare
    ledger_function regprocedure;
begin
    for ledger_function in
        select oid::regprocedure from pg_catalog.pg_proc where pronamespace = 'ledger'::regnamespace
    loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', ledger_function);
    end loop;
end
$$;

create or replace function grouper.refresh_statistics() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    grouper_table text;
begin
    for grouper_table in select tablename from pg_catalog.pg_tables where schemaname = 'grouper' loop
        execute pg_catalog.format('analyze grouper.%I', grouper_table);
    end loop;
end;
$$;

grant usage, create on schema raw, grouper to storage_owner;
alter function raw.ensure_partitions(date, date) owner to storage_owner;
alter function grouper.refresh_statistics() owner to storage_owner;
-- Its tables are handed over at every migration (settlement/warehouse/rights.py), so that later ones are not forgotten.
alter default privileges for role storage_owner in schema raw grant select on tables to transformer, auditor, loader;

-- Decisions are made by a role of their own: who requests and instructs money cannot approve it, a rule's approvals
-- included.
revoke insert on ledger.payment_decision from poster;
grant usage on schema ledger to decider;
grant select on ledger.payment_request, ledger.payment_request_line, ledger.payment_decision to decider;
grant insert (request_id, decision, decided_by, is_by_rule, reason) on ledger.payment_decision to decider;

-- What the poster needs of what arrived: which days were accepted, the bank's answers, and their batches. It sees no
-- settlement, no fee line and no quarantined value.
alter default privileges in schema raw, intake revoke select on tables from poster;
revoke select on all tables in schema raw, intake from poster;
grant select on raw.accepted_day, raw.bank_transaction, intake.batch to poster;
revoke select on all tables in schema grouper from poster;
