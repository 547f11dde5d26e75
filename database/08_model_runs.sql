-- What every stage did, model by model: for who runs the platform and looks for the slow or the failed one.

create table audit.model_run (
    model_run_id bigint generated always as identity primary key,
    stage text not null,
    pay_date date,
    area_code text,
    node_name text not null,
    node_type text not null,
    status text not null,
    run_seconds numeric(12, 3) not null,
    row_count bigint,
    message text,
    finished_at timestamptz not null default clock_timestamp()
);
comment on table audit.model_run is '模型运行：每阶段每节点一行 / One row per node that a stage built or tested.';

create trigger refuse_change before update or delete on audit.model_run
for each row execute function ledger.refuse_change();
create trigger refuse_truncate before truncate on audit.model_run
for each statement execute function ledger.refuse_change();

grant usage on schema audit to transformer;
grant insert, select on audit.model_run to transformer;
grant select on audit.model_run to auditor;
