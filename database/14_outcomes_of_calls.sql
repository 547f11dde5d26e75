-- A call over the API is on record before it has any effect, and its outcome follows in a row of its own: what was begun
-- and never ended is seen as well.

alter table audit.api_call
    alter column http_status drop not null,
    alter column code drop not null,
    add constraint api_call_outcome check ((http_status is null) = (code is null));
comment on column audit.api_call.http_status is '应答状态；为空见 audit.api_outcome / Status of the answer; empty: written before the effect, see audit.api_outcome.';
comment on column audit.api_call.code is '结果：ok 或稳定的错误代码；为空见 audit.api_outcome / Outcome: ok, or the stable code of the error; empty: see audit.api_outcome.';

create table audit.api_outcome (
    api_call_id bigint primary key references audit.api_call,
    http_status int not null,
    code text not null,
    batch_id text,
    area_code text,
    finished_at timestamptz not null default clock_timestamp()
);
comment on table audit.api_outcome is '接口调用结果：先记后行，逐次一行 / How a call ended that was on record before its effect; a call without a row did not end.';
comment on column audit.api_outcome.batch_id is '调用过程中才知道的批次 / The batch, where it became known during the call only.';
comment on column audit.api_outcome.area_code is '调用过程中才知道的统筹区 / The area, where it became known during the call only.';

create trigger refuse_change before update or delete on audit.api_outcome
for each row execute function ledger.refuse_change();
create trigger refuse_truncate before truncate on audit.api_outcome
for each statement execute function ledger.refuse_change();

-- When and under which number a call is kept, the database says itself.
revoke insert on audit.api_call from loader;
grant insert (caller, client_address, action, batch_id, area_code, http_status, code) on audit.api_call to loader;
grant select (api_call_id) on audit.api_call to loader;
grant insert (api_call_id, http_status, code, batch_id, area_code) on audit.api_outcome to loader;
grant select on audit.api_outcome to auditor;
