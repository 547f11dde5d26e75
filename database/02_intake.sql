-- Intake: what arrived, what was refused and why, and what the expectations found.

create table intake.batch (
    batch_id text primary key check (batch_id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    kind text check (
        kind in ('settlement', 'declaration', 'reference', 'review', 'case_review', 'bank_receipt', 'clearing_bill')
    ),
    area_code text check (area_code ~ '^[0-9]{6}$'),
    business_date date,
    created_at timestamptz,
    sender text,
    manifest jsonb,
    content_sha256 text,
    status text not null check (status in ('accepted', 'held', 'refused')),
    error_code text,
    error_message text,
    receipt jsonb not null,
    decided_by text,
    load_id bigint generated always as identity,
    received_at timestamptz not null default clock_timestamp(),
    check (status <> 'refused' or error_code is not null),
    -- Only a refused batch may lack what its manifest failed to say.
    check (
        status = 'refused'
        or (
            kind is not null and area_code is not null and created_at is not null
            and manifest is not null and content_sha256 is not null
        )
    )
);
comment on table intake.batch is '批次：每个送达批次的一行，状态与回执 / One row per delivered batch with its state and receipt.';
comment on column intake.batch.content_sha256 is '清单所列文件散列的散列，判断同一批次号内容是否相同 / Hash over manifest and file hashes: same id with another hash is a conflict.';
comment on column intake.batch.decided_by is '放行或退回挂起批次的人 / Who released or rejected a held batch.';
create index on intake.batch (area_code, business_date);

-- What was accepted stays as it is: no later delivery, release or rejection touches it.
create function intake.refuse_change_of_accepted_batch() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'batch % is accepted; it cannot be changed', old.batch_id;
end
$$;
create trigger accepted_batch_stays before update or delete on intake.batch
for each row when (old.status = 'accepted') execute function intake.refuse_change_of_accepted_batch();

create table intake.batch_file (
    batch_id text not null references intake.batch,
    file_no int not null,
    file_name text not null,
    table_name text not null,
    sha256 text not null,
    read_count bigint not null,
    accepted_count bigint not null,
    quarantined_count bigint not null,
    repeated_count bigint not null,
    pending_count bigint not null,
    control_sums jsonb not null default '{}',
    primary key (batch_id, file_no),
    check (read_count = accepted_count + quarantined_count + repeated_count + pending_count)
);
comment on table intake.batch_file is '批次文件：逐文件的行数与控制合计 / One row per file of a batch: counts and control sums found.';

create table intake.quarantine (
    batch_id text not null references intake.batch,
    file_no int not null,
    line_no bigint not null,
    file_name text not null,
    table_name text not null,
    record_key text,
    reason_codes text [] not null check (cardinality(reason_codes) > 0),
    details jsonb not null default '[]',
    primary key (batch_id, file_no, line_no)
);
comment on table intake.quarantine is '隔离区：未通过质控的行及全部原因，不含个人身份 / Refused rows with all their reasons; no person identity.';
comment on column intake.quarantine.details is '每个原因的代码、字段与违规值 / For each reason: code, field, offending value.';

create table intake.expectation_run (
    expectation_run_id bigint generated always as identity primary key,
    up_to_load_id bigint not null,
    batch_ids text [] not null,
    is_success boolean not null,
    started_by text not null,
    ran_at timestamptz not null default clock_timestamp()
);
comment on table intake.expectation_run is '期望校验批次：一次 Great Expectations 运行 / One run of the Great Expectations suites over newly accepted batches.';

create table intake.expectation_result (
    expectation_run_id bigint not null references intake.expectation_run,
    table_name text not null,
    rule_id text not null,
    reason_code text not null,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    is_success boolean not null,
    evaluated_count bigint,
    unexpected_count bigint,
    failing_batch_ids text [] not null default '{}',
    observed jsonb not null default '{}',
    primary key (expectation_run_id, table_name, rule_id)
);
comment on table intake.expectation_result is '期望校验结果：逐规则 / One row per rule of a run.';

create index on intake.expectation_result (expectation_run_id) where not is_success and severity = 'critical';

-- A batch is stopped while the newest run that looked at it found a critical failure in it.
create view intake.stopped_batch as
select distinct failing.batch_id
from intake.expectation_result
cross join unnest(expectation_result.failing_batch_ids) as failing (batch_id)
where not expectation_result.is_success
    and expectation_result.severity = 'critical'
    and not exists (
        select
        from intake.expectation_run as newer
        where newer.expectation_run_id > expectation_result.expectation_run_id
            and failing.batch_id = any(newer.batch_ids)
    );

-- What people decided about held batches; the decision itself is part of the record.
create table intake.batch_decision (
    batch_id text not null references intake.batch,
    decision text not null check (decision in ('release', 'reject')),
    decided_by text not null,
    reason text,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (batch_id, decided_at)
);

-- The loader may rewrite what it wrote about a held or refused batch: such a batch has loaded nothing.
grant select, insert on all tables in schema intake to loader;
grant update on intake.batch to loader;
grant delete on intake.batch_file, intake.quarantine to loader;
grant usage on all sequences in schema intake to loader;
grant select on all tables in schema intake to transformer, poster, auditor;
