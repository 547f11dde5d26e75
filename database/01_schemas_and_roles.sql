-- Schemas and least-privilege roles.
--
-- Login roles own nothing but what they build: the loader writes intake, raw and reference; the transformer (dbt)
-- builds staging to marts and reads the rest; the poster may only insert into the ledger; bi_reader sees marts;
-- the auditor reads everything. Passwords are set by the migration command, never here.

do $$
declare
    role_name text;
begin
    foreach role_name in array array['loader', 'transformer', 'poster', 'bi_reader', 'auditor'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I login nosuperuser nocreatedb nocreaterole noinherit', role_name);
        end if;
    end loop;
end
$$;

create schema intake;
create schema raw;
create schema reference;
create schema ledger;
create schema seeds;
create schema staging;
create schema intermediate;
create schema entries;
create schema marts;

-- dbt replaces what it builds, so it owns the schemas it builds in.
grant usage, create on schema seeds, staging, intermediate, entries, marts to transformer;

grant usage on schema intake, raw, reference to loader, transformer, poster, auditor;
grant usage on schema ledger to transformer, poster, auditor, loader;
grant usage on schema entries, intermediate, seeds to poster;
grant usage on schema marts to bi_reader, poster, auditor;
grant usage on schema staging, intermediate, entries, seeds to auditor;
grant usage on schema seeds to loader;

-- What a role may read follows the schema, also for tables that come later.
alter default privileges in schema intake, raw, reference grant select on tables to transformer, poster, auditor, loader;
alter default privileges in schema ledger grant select on tables to transformer, poster, auditor;
alter default privileges in schema intake, raw, reference grant usage on sequences to loader;
alter default privileges in schema ledger grant usage on sequences to poster;

-- dbt's own tables are created by the transformer; these defaults are the transformer's.
alter default privileges for role transformer in schema entries, intermediate, seeds
grant select on tables to poster, auditor;
alter default privileges for role transformer in schema seeds grant select on tables to loader;
alter default privileges for role transformer in schema staging grant select on tables to auditor;
alter default privileges for role transformer in schema marts grant select on tables to bi_reader, poster, auditor;
