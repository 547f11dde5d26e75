-- A load that takes its process with it (out of memory, kill -9) cannot say so. It is found by what it leaves: its row
-- here, which every load that ends in any other way removes.
create table intake.load_attempt (
    load_attempt_id bigint generated always as identity primary key,
    batch_id text not null,
    content_sha256 text not null,
    backend_pid int not null,
    backend_began_at timestamptz not null,
    server_began_at timestamptz not null,
    began_at timestamptz not null default clock_timestamp()
);
create index on intake.load_attempt (batch_id);
comment on table intake.load_attempt is '装载尝试：正在进行或被中断的装载 / Loads that run, and loads whose process died; one that ends removes its row.';
comment on column intake.load_attempt.backend_pid is '装载连接的服务进程 / Server process of the load''s connection: while it lives, the load does.';
comment on column intake.load_attempt.server_began_at is '数据库启动时间：数据库自身重启造成的中断不计 / When the server started: a load that ended because the server did is not counted.';

grant select, insert, delete on intake.load_attempt to loader;
grant select on intake.load_attempt to auditor;
