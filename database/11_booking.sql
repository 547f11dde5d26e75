-- Booking of inpatient cases: what auxiliary types of DIP are told by. What a month was booked at, dbt keeps itself.

-- Secondary diagnoses by weight of the comorbidity index, and by severity; a key is a code or the beginning of one.
create table grouper.dip_comorbidity_weight (
    scheme_id integer not null references grouper.scheme,
    dx_key text not null,
    weight integer not null check (weight > 0),
    primary key (scheme_id, dx_key)
);
comment on table grouper.dip_comorbidity_weight is '合并症指数（CCI）权重 / One row per diagnosis that adds to the comorbidity index.';

create table grouper.dip_severity_diagnosis (
    scheme_id integer not null references grouper.scheme,
    dx_key text not null,
    severity text not null check (severity in ('severe', 'moderate')),
    primary key (scheme_id, dx_key)
);
comment on table grouper.dip_severity_diagnosis is '重度、中度诊断 / One row per secondary diagnosis that makes a stay severe or moderate.';

do $$
declare
    scheme_table text;
begin
    foreach scheme_table in array array['dip_comorbidity_weight', 'dip_severity_diagnosis'] loop
        execute format(
            'create trigger refuse_change before update or delete on grouper.%I'
            ' for each row execute function ledger.refuse_change()', scheme_table
        );
        execute format(
            'create trigger refuse_truncate before truncate on grouper.%I'
            ' for each statement execute function ledger.refuse_change()', scheme_table
        );
        execute format('grant select, insert on grouper.%I to loader', scheme_table);
        execute format('grant select on grouper.%I to transformer, poster, auditor', scheme_table);
    end loop;
end;
$$;

-- What a month's points were worth when they were published: a value that changes later is another publication.
create table ledger.point_value_publication (
    area_code text not null check (area_code ~ '^[0-9]{6}$'),
    settlement_month text not null check (settlement_month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    fund_pay_type text not null,
    scheme_version text not null,
    publication_no integer not null check (publication_no > 0),
    fund_amount numeric(18, 2) not null,
    pool_amount numeric(18, 2) not null,
    total_points numeric(18, 4) not null,
    point_value numeric(24, 8) not null,
    published_by text not null,
    published_at timestamptz not null default clock_timestamp(),
    primary key (area_code, settlement_month, fund_pay_type, scheme_version, publication_no)
);
comment on table ledger.point_value_publication is '点值公布 / One row per publication of a month''s point value; append-only.';
create trigger refuse_change before update or delete on ledger.point_value_publication
for each row execute function ledger.refuse_change();
create trigger refuse_truncate before truncate on ledger.point_value_publication
for each statement execute function ledger.refuse_change();
grant select, insert on ledger.point_value_publication to poster;
grant select on ledger.point_value_publication to transformer, auditor;
