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
