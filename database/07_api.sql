-- The audit trail of the status API: who changed something over it, what, when, from where, and the outcome.

create schema audit;
grant usage on schema audit to loader, auditor;

create table audit.api_call (
    api_call_id bigint generated always as identity primary key,
    called_at timestamptz not null default clock_timestamp(),
    caller text not null,
    client_address text,
    action text not null,
    batch_id text,
    area_code text,
    http_status int not null,
    code text not null
);
comment on table audit.api_call is '接口审计：有副作用的调用逐次一行，含被拒绝的 / One row per API call with effect, refused ones included.';
comment on column audit.api_call.code is '结果：ok 或稳定的错误代码 / Outcome: ok, or the stable code of the error.';
create index on audit.api_call (batch_id);

create trigger refuse_change before update or delete on audit.api_call
for each row execute function ledger.refuse_change();
create trigger refuse_truncate before truncate on audit.api_call
for each statement execute function ledger.refuse_change();

grant insert on audit.api_call to loader;
grant select on audit.api_call to auditor;
