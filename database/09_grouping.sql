-- Grouping schemes as data, side by side by version, and the cases that are grouped by them.
-- A scheme is imported whole and never changed: another content is another version.

create schema grouper;
grant usage on schema grouper to loader, transformer, poster, auditor;

create table grouper.scheme (
    scheme_id integer generated always as identity primary key,
    kind text not null check (kind in ('drg', 'dip')),
    version text not null unique check (version ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name text,
    document text,
    valid_from date not null,
    valid_to date check (valid_to >= valid_from),
    -- How its rules are applied where the files leave it open, e.g. {"op_match_scope": "ANY"}.
    options jsonb not null default '{}',
    content_sha256 text not null,
    imported_by text not null,
    imported_at timestamptz not null default clock_timestamp()
);
comment on table grouper.scheme is '分组方案版本 / One row per version of a grouping scheme.';

-- DRG: major categories in the order they are evaluated.
create table grouper.drg_mdc (
    scheme_id integer not null references grouper.scheme,
    eval_order integer not null,
    mdc text not null,
    gate text not null,
    sex text check (sex in ('1', '2')),
    infant_only boolean not null,
    qy_mode text not null check (qy_mode in ('OFF', 'PRINCIPAL_OP', 'ANY_OP')),
    primary key (scheme_id, mdc)
);
comment on table grouper.drg_mdc is 'DRG 主要诊断大类及其判定次序 / One row per major diagnostic category of a scheme.';

create table grouper.drg_mdc_diagnosis (
    scheme_id integer not null,
    mdc text not null,
    site text,
    dx_code text not null,
    foreign key (scheme_id, mdc) references grouper.drg_mdc
);
comment on table grouper.drg_mdc_diagnosis is '大类主诊表 / One row per diagnosis (and body site) that leads into a category.';
create index on grouper.drg_mdc_diagnosis (scheme_id, dx_code);

-- An ADRG may have several rules: ADRG = the first three characters of the rule's id.
create table grouper.drg_rule (
    scheme_id integer not null,
    mdc text not null,
    mdc_order integer,
    adrg_order integer not null,
    rule_id text not null,
    match_rule text not null,
    age_days_max integer,
    weight_min integer,
    weight_max_excl integer,
    primary key (scheme_id, rule_id),
    foreign key (scheme_id, mdc) references grouper.drg_mdc
);
comment on table grouper.drg_rule is 'ADRG 入组规则 / One row per rule that leads into an ADRG.';

create table grouper.drg_rule_diagnosis (
    scheme_id integer not null,
    rule_id text not null,
    slot smallint not null default 1,
    dx_code text not null,
    foreign key (scheme_id, rule_id) references grouper.drg_rule
);
comment on table grouper.drg_rule_diagnosis is '规则诊断表 / One row per diagnosis in a list of a rule; slot 2 lists secondary ones.';
create index on grouper.drg_rule_diagnosis (scheme_id, dx_code);

create table grouper.drg_rule_operation (
    scheme_id integer not null,
    rule_id text not null,
    slot smallint not null default 1 check (slot between 1 and 8),
    op_code text not null,
    foreign key (scheme_id, rule_id) references grouper.drg_rule
);
comment on table grouper.drg_rule_operation is '规则手术操作表 / One row per operation in a list (slot) of a rule.';
create index on grouper.drg_rule_operation (scheme_id, op_code);

create table grouper.drg_group (
    scheme_id integer not null,
    rule_id text not null,
    drg_order integer not null,
    drg_code text not null,
    severity_rule text not null,
    name text,
    primary key (scheme_id, rule_id, drg_code),
    foreign key (scheme_id, rule_id) references grouper.drg_rule
);
comment on table grouper.drg_group is 'DRG 组 / One row per group of a rule, tried in drg_order.';

create table grouper.drg_comorbidity (
    scheme_id integer not null references grouper.scheme,
    level text not null check (level in ('MCC', 'CC')),
    dx_code text not null,
    exclusion_table_id text,
    primary key (scheme_id, dx_code, level)
);
comment on table grouper.drg_comorbidity is '并发症合并症表 / One row per diagnosis that counts as a (major) comorbidity.';

create table grouper.drg_exclusion (
    scheme_id integer not null references grouper.scheme,
    exclusion_table_id text not null,
    dx_code text not null,
    primary key (scheme_id, dx_code, exclusion_table_id)
);
comment on table grouper.drg_exclusion is '排除表 / One row per main diagnosis that stands in an exclusion table.';

create table grouper.drg_valid_operation (
    scheme_id integer not null references grouper.scheme,
    op_code text not null,
    name text,
    primary key (scheme_id, op_code)
);
comment on table grouper.drg_valid_operation is '有效手术操作 / One row per operation that counts for grouping.';

-- DIP: the catalogue, and what its rules read.
create table grouper.dip_group (
    scheme_id integer not null references grouper.scheme,
    group_id text not null,
    group_type text not null,
    stage text not null,
    dx text not null,
    main_op_or_property text,
    related_op_or_weight text,
    score numeric(18, 4),
    is_basic boolean not null default false,
    name text,
    primary key (scheme_id, group_id)
);
comment on table grouper.dip_group is 'DIP 病种目录 / One row per group of the catalogue.';

-- The catalogue's expressions taken apart: which diagnoses a group is of, by whole code, subcategory or category …
create table grouper.dip_group_diagnosis (
    scheme_id integer not null,
    group_id text not null,
    role text not null check (role in ('main', 'secondary')),
    dx_key text not null,
    primary key (scheme_id, role, dx_key, group_id),
    foreign key (scheme_id, group_id) references grouper.dip_group
);
comment on table grouper.dip_group_diagnosis is 'DIP 病种诊断 / One row per diagnosis, or beginning of one, of a group.';

-- … and which operations it asks for: in every alternative the main one and one of each related term.
create table grouper.dip_group_operation (
    scheme_id integer not null,
    group_id text not null,
    alternative smallint not null,
    term smallint not null check (term >= 0),
    op_code text not null,
    primary key (scheme_id, op_code, group_id, alternative, term),
    foreign key (scheme_id, group_id) references grouper.dip_group
);
comment on table grouper.dip_group_operation is 'DIP 病种手术操作 / One row per operation of a group; term 0 is the main one.';

create table grouper.dip_operation_property (
    scheme_id integer not null references grouper.scheme,
    op_code text not null,
    property text not null,
    primary key (scheme_id, op_code)
);
comment on table grouper.dip_operation_property is '手术操作属性 / One row per operation and its property.';

create table grouper.dip_exclusion (
    scheme_id integer not null references grouper.scheme,
    kind text not null check (kind in ('dx', 'op')),
    code text not null,
    primary key (scheme_id, kind, code)
);
comment on table grouper.dip_exclusion is 'DIP 排除清单 / One row per diagnosis outside DIP, or operation that counts as none.';

create table grouper.dip_auxiliary_type (
    scheme_id integer not null references grouper.scheme,
    group_id text not null,
    dimension text not null check (dimension in ('cci', 'severity', 'age', 'icu', 'tumour')),
    type_code text not null,
    coefficient numeric(10, 4) not null check (coefficient > 0),
    primary key (scheme_id, group_id, dimension, type_code)
);
comment on table grouper.dip_auxiliary_type is 'DIP 辅助分型 / One row per auxiliary type of a group and its coefficient.';

-- Cases to be grouped: a set is a month of an area, or a file given by hand.
create table grouper.patient_case (
    case_no bigint generated always as identity primary key,
    case_set text not null,
    case_id text not null,
    scheme_id integer not null references grouper.scheme,
    gender text,
    age_years integer,
    age_days integer,
    weight_g integer,
    stay_days integer,
    discharge_way text,
    dx_codes text[] not null,
    op_codes text[] not null,
    unique (case_set, case_id)
);
comment on table grouper.patient_case is '待分组病例 / One row per case of a set; the first code of each list is the main one.';

do $$
declare
    scheme_table text;
begin
    for scheme_table in
        select table_name from information_schema.tables
        where table_schema = 'grouper' and table_name <> 'patient_case'
    loop
        execute format(
            'create trigger refuse_change before update or delete on grouper.%I'
            ' for each row execute function ledger.refuse_change()', scheme_table
        );
        execute format(
            'create trigger refuse_truncate before truncate on grouper.%I'
            ' for each statement execute function ledger.refuse_change()', scheme_table
        );
    end loop;
end;
$$;

grant select, insert on all tables in schema grouper to loader;
grant delete on grouper.patient_case to loader;
grant select on all tables in schema grouper to transformer, poster, auditor;

-- Only an owner may analyze; who imports a scheme or brings cases asks for it here, so that plans know their sizes.
create function grouper.refresh_statistics() returns void
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    grouper_table text;
begin
    for grouper_table in select tablename from pg_tables where schemaname = 'grouper' loop
        execute format('analyze grouper.%I', grouper_table);
    end loop;
end;
$$;
revoke execute on function grouper.refresh_statistics() from public;
grant execute on function grouper.refresh_statistics() to loader;
