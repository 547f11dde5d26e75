-- Grouping schemes: what variants of cities need beyond the national layout, and the removal of a scheme that nothing uses.

-- A second try: where the principal operation leads to no operative rule of a category, the further ones are tried.
alter table grouper.drg_mdc add column op_retry boolean not null default false;
comment on column grouper.drg_mdc.op_retry is '主手术不符时依次以其他手术再试 / Whether further operations are tried in order.';

-- Operations that open a gate.
create table grouper.drg_mdc_operation (
    scheme_id integer not null,
    mdc text not null,
    op_code text not null,
    primary key (scheme_id, op_code, mdc),
    foreign key (scheme_id, mdc) references grouper.drg_mdc
);
comment on table grouper.drg_mdc_operation is '大类手术操作表 / One row per operation that leads into a category.';

-- Rules and groups by age (completed years) and stay (days): from the one, below the other.
alter table grouper.drg_rule
add column age_min integer,
add column age_max_excl integer,
add column los_min integer,
add column los_max_excl integer;

-- A group may ask for more than a severity: for an age, a stay, or codes of lists of its own.
alter table grouper.drg_group
add column age_min integer,
add column age_max_excl integer,
add column los_min integer,
add column los_max_excl integer,
add column match_rule text;
comment on column grouper.drg_group.match_rule is '本组自有列表的匹配规则 / What the group asks of its own lists; empty where it has none.';

create table grouper.drg_group_diagnosis (
    scheme_id integer not null,
    rule_id text not null,
    drg_code text not null,
    slot smallint not null default 1,
    dx_code text not null,
    primary key (scheme_id, dx_code, rule_id, drg_code, slot),
    foreign key (scheme_id, rule_id, drg_code) references grouper.drg_group
);
comment on table grouper.drg_group_diagnosis is 'DRG 组自有诊断表 / One row per diagnosis in a list of a group''s own.';

create table grouper.drg_group_operation (
    scheme_id integer not null,
    rule_id text not null,
    drg_code text not null,
    slot smallint not null default 1 check (slot between 1 and 8),
    op_code text not null,
    primary key (scheme_id, op_code, rule_id, drg_code, slot),
    foreign key (scheme_id, rule_id, drg_code) references grouper.drg_group
);
comment on table grouper.drg_group_operation is 'DRG 组自有手术操作表 / One row per operation in a list of a group''s own.';

-- A scheme that nothing uses may be removed, and its removal stays written down. Nobody logs in as scheme_keeper: only
-- the function below deletes with its rights, and only it passes the triggers.
do $$
begin
    if not exists (select from pg_roles where rolname = 'scheme_keeper') then
        create role scheme_keeper nologin nosuperuser nocreatedb nocreaterole noinherit;
    end if;
end
$$;

create table grouper.scheme_removal (
    removal_no bigint generated always as identity primary key,
    version text not null,
    kind text not null,
    name text,
    document text,
    valid_from date not null,
    valid_to date,
    options jsonb not null,
    content_sha256 text not null,
    imported_by text not null,
    imported_at timestamptz not null,
    row_counts jsonb not null,
    removed_by text not null check (removed_by <> ''),
    removed_at timestamptz not null default clock_timestamp()
);
comment on table grouper.scheme_removal is '分组方案删除记录 / One row per scheme that was removed; append-only.';
create trigger refuse_change before update or delete on grouper.scheme_removal
for each row execute function ledger.refuse_change();
create trigger refuse_truncate before truncate on grouper.scheme_removal
for each statement execute function ledger.refuse_change();

create function grouper.refuse_scheme_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'DELETE' and current_user = 'scheme_keeper' then
        return old;
    end if;
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
        using errcode = 'restrict_violation',
        hint = 'Another content is another version; an unused scheme is removed whole (另一内容即另一版本；未使用的方案整体删除).';
end
$$;

do $$
declare
    scheme_table text;
begin
    for scheme_table in
        select table_name from information_schema.tables
        where table_schema = 'grouper' and table_name not in ('patient_case', 'scheme_removal')
    loop
        execute format('drop trigger if exists refuse_change on grouper.%I', scheme_table);
        execute format(
            'create trigger refuse_change before update or delete on grouper.%I'
            ' for each row execute function grouper.refuse_scheme_change()', scheme_table
        );
        execute format(
            'create or replace trigger refuse_truncate before truncate on grouper.%I'
            ' for each statement execute function ledger.refuse_change()', scheme_table
        );
        execute format('grant select, delete on grouper.%I to scheme_keeper', scheme_table);
    end loop;
end;
$$;

grant select, insert on grouper.drg_mdc_operation, grouper.drg_group_diagnosis, grouper.drg_group_operation to loader;
grant select on grouper.drg_mdc_operation, grouper.drg_group_diagnosis, grouper.drg_group_operation, grouper.scheme_removal
to transformer, poster, auditor;
grant select on grouper.scheme_removal to loader;

grant usage on schema grouper, intermediate, ledger, reference to scheme_keeper;
grant select on grouper.patient_case, ledger.point_value_publication, reference.inpatient_method to scheme_keeper;
grant insert, select on grouper.scheme_removal to scheme_keeper;
-- Bookings are dbt's own table, and may be built after this or anew.
grant select on all tables in schema intermediate to scheme_keeper;
alter default privileges for role transformer in schema intermediate grant select on tables to scheme_keeper;

-- Removes a scheme whole and writes its removal down, or says what uses it and removes nothing: bookings of cases,
-- published point values, methods of payment that name it, and cases that are being grouped.
create function grouper.remove_scheme(removed_version text, remover text) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    removed grouper.scheme;
    uses jsonb := '[]';
    found_uses jsonb;
    scheme_table text;
    row_count bigint;
    row_counts jsonb := '{}';
begin
    select * into removed from grouper.scheme where version = removed_version;
    if not found then
        raise exception 'there is no scheme %', removed_version using errcode = 'no_data_found';
    end if;
    -- dbt's table is there once a month was booked.
    if to_regclass('intermediate.int_case_bookings') is not null then
        execute
            'select coalesce(jsonb_agg(jsonb_build_object(
                ''use'', ''booking'', ''area'', area_code, ''month'', settlement_month, ''count'', booking_count
            ) order by area_code, settlement_month), ''[]'')
            from (
                select area_code, settlement_month, count(*) as booking_count
                from intermediate.int_case_bookings where scheme_version = $1 group by area_code, settlement_month
            ) as bookings'
        into found_uses using removed_version;
        uses := uses || found_uses;
    end if;
    select uses || coalesce(jsonb_agg(jsonb_build_object(
        'use', 'point value', 'area', area_code, 'month', settlement_month, 'count', publication_count
    ) order by area_code, settlement_month), '[]')
    into uses
    from (
        select area_code, settlement_month, count(*) as publication_count
        from ledger.point_value_publication where scheme_version = removed_version group by area_code, settlement_month
    ) as publications;
    select uses || coalesce(jsonb_agg(jsonb_build_object(
        'use', 'payment method', 'area', area_code, 'from', valid_from, 'count', method_count
    ) order by area_code, valid_from), '[]')
    into uses
    from (
        select area_code, valid_from, count(*) as method_count
        from reference.inpatient_method where scheme_code = removed_version group by area_code, valid_from
    ) as methods;
    select uses || coalesce(jsonb_agg(jsonb_build_object('use', 'cases being grouped', 'count', case_count)), '[]')
    into uses
    from (select count(*) as case_count from grouper.patient_case where scheme_id = removed.scheme_id) as cases
    where case_count > 0;
    if uses <> '[]' then
        raise exception 'scheme % is used', removed_version using errcode = 'object_in_use', detail = uses::text;
    end if;
    foreach scheme_table in array array[
        'drg_group_diagnosis', 'drg_group_operation', 'drg_group', 'drg_rule_diagnosis', 'drg_rule_operation', 'drg_rule',
        'drg_mdc_diagnosis', 'drg_mdc_operation', 'drg_mdc', 'drg_comorbidity', 'drg_exclusion', 'drg_valid_operation',
        'dip_group_diagnosis', 'dip_group_operation', 'dip_auxiliary_type', 'dip_group', 'dip_operation_property',
        'dip_exclusion', 'dip_comorbidity_weight', 'dip_severity_diagnosis', 'scheme'
    ] loop
        execute format('delete from grouper.%I where scheme_id = $1', scheme_table) using removed.scheme_id;
        get diagnostics row_count = row_count;
        if row_count > 0 then
            row_counts := row_counts || jsonb_build_object(scheme_table, row_count);
        end if;
    end loop;
    insert into grouper.scheme_removal (
        version, kind, name, document, valid_from, valid_to, options, content_sha256, imported_by, imported_at, row_counts,
        removed_by
    )
    values (
        removed.version, removed.kind, removed.name, removed.document, removed.valid_from, removed.valid_to,
        removed.options, removed.content_sha256, removed.imported_by, removed.imported_at, row_counts, remover
    );
    return row_counts;
end
$$;
alter function grouper.refuse_scheme_change() owner to scheme_keeper;
alter function grouper.remove_scheme(text, text) owner to scheme_keeper;
revoke execute on function grouper.remove_scheme(text, text) from public;
grant execute on function grouper.remove_scheme(text, text) to loader;
