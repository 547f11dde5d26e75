-- A batch that is held says for what: too many refused rows, or reference data that a second person looks at first. What
-- it would change is kept for that person, as nothing of a held batch is loaded.

alter table intake.batch
    add column held_for text [],
    add column held_changes jsonb;
comment on column intake.batch.received_by is '送达账号，无接口送达时为发起接收的账号 / Who delivered it over the API, else who had it received; null for the schedule.';
comment on column intake.batch.held_for is '挂起原因：rejections 拒收超限，master_data 主数据待复核 / Why it was held; kept when it is decided.';
comment on column intake.batch.held_changes is '主数据拟作更改 / What held reference data would change: table, key, from which day, columns before and after.';

-- Which account delivered a batch over the API, before anything of it is stored: whoever has it received later, the
-- schedule or an operator, it is judged by the rights of who delivered it.
create table intake.delivery (
    batch_id text not null,
    delivered_at timestamptz not null default clock_timestamp(),
    delivered_by text not null,
    primary key (batch_id, delivered_at)
);
comment on table intake.delivery is '接口送达：逐次一行 / Each delivery over the API: which account began to deliver which batch.';
grant select on intake.delivery to loader, auditor;
grant insert (batch_id, delivered_by) on intake.delivery to loader;
