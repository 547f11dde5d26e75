-- The ledger: append-only books of account, payment requests, instructions and what the bank answered.
--
-- Guarding is done here, not by callers: insert-only rights, keys, checks, and triggers that refuse UPDATE, DELETE,
-- TRUNCATE, an unbalanced entry, a line added to an old entry and an entry in a closed month.

create table ledger.settlement_period (
    area_code text not null,
    settlement_month text not null check (settlement_month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    closed_by text not null,
    closed_at timestamptz not null default clock_timestamp(),
    primary key (area_code, settlement_month)
);
comment on table ledger.settlement_period is '结算期关账：有行即已关账 / Closed settlement months: a row means closed; a month is closed once.';

create table ledger.posting_run (
    posting_run_id bigint generated always as identity primary key,
    area_code text not null,
    purpose text not null,
    entry_count int not null check (entry_count > 0),
    debit_total_amount numeric(18, 2) not null,
    previous_seal text not null,
    seal text not null,
    posted_by text not null,
    posted_at timestamptz not null default clock_timestamp(),
    unique (area_code, previous_seal)
);
comment on table ledger.posting_run is '记账批：每次过账一行，封印链按统筹区 / One row per posting; the SM3 seals form one chain per area.';

create table ledger.entry (
    fixmedins_code text not null,
    business_event_id text not null,
    entry_id uuid generated always as (md5(business_event_id)::uuid) stored,
    event text not null,
    area_code text not null check (area_code ~ '^[0-9]{6}$'),
    fund_pay_type text not null,
    accounting_date date not null,
    settlement_month text not null check (settlement_month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    source_id text not null,
    reverses_event_id text,
    posting_run_id bigint not null references ledger.posting_run deferrable initially deferred,
    posted_in xid8 not null default pg_current_xact_id(),
    primary key (fixmedins_code, business_event_id),
    check (starts_with(business_event_id, fixmedins_code || ':'))
);
comment on table ledger.entry is '分录：一个业务事件一笔 / One entry per business event.';
create index on ledger.entry (area_code, accounting_date);
create index on ledger.entry (posting_run_id);
create index on ledger.entry (source_id);

create table ledger.entry_line (
    fixmedins_code text not null,
    business_event_id text not null,
    line_no smallint not null,
    account text not null,
    side text not null check (side in ('debit', 'credit')),
    amount numeric(18, 2) not null check (amount > 0),
    primary key (fixmedins_code, business_event_id, line_no),
    foreign key (fixmedins_code, business_event_id) references ledger.entry
);
comment on table ledger.entry_line is '分录行：借贷各行，金额恒为正 / Debit and credit lines; amounts are positive, the side carries the direction.';

create table ledger.accrued_batch_day (
    accepted_batch_id text not null,
    business_date date not null,
    area_code text not null,
    posting_run_id bigint references ledger.posting_run deferrable initially deferred,
    primary key (accepted_batch_id, business_date)
);
comment on table ledger.accrued_batch_day is '已计提的批次日 / Batch days whose accrual is in the books.';

create table ledger.payment_run (
    area_code text not null,
    pay_date date not null,
    triggered_by text not null,
    requested_at timestamptz not null default clock_timestamp(),
    primary key (area_code, pay_date)
);
comment on table ledger.payment_run is '拨付批：统筹区每个拨付日请款一次 / Requests of an area are made once per pay date.';

create table ledger.payment_request (
    request_id uuid primary key,
    area_code text not null,
    fund_pay_type text not null,
    pay_date date not null,
    purpose text not null,
    line_count int not null check (line_count > 0),
    total_amount numeric(18, 2) not null check (total_amount > 0),
    plan_amount numeric(18, 2) not null,
    plan_used_before_amount numeric(18, 2) not null,
    reserve_amount numeric(18, 2) not null,
    reserve_used_before_amount numeric(18, 2) not null,
    reserve_used_amount numeric(18, 2) not null,
    is_over_plan boolean not null,
    approval_threshold_amount numeric(18, 2) not null,
    requested_by text not null,
    requested_at timestamptz not null default clock_timestamp(),
    unique (area_code, fund_pay_type, pay_date, purpose),
    foreign key (area_code, pay_date) references ledger.payment_run
);
comment on table ledger.payment_request is '请款单 / Payment requests, one per area, fund, pay date and purpose.';
create index on ledger.payment_request (pay_date);

create table ledger.payment_request_line (
    request_id uuid not null references ledger.payment_request,
    fixmedins_code text not null,
    settlement_month text not null,
    amount numeric(18, 2) not null check (amount > 0),
    replaces_instruction_id uuid,
    flag text,
    primary key (request_id, fixmedins_code, settlement_month)
);
comment on table ledger.payment_request_line is '请款明细：机构与结算月 / Lines of a request: institution and settlement month.';

create table ledger.payment_decision (
    request_id uuid primary key references ledger.payment_request,
    decision text not null check (decision in ('approved', 'rejected')),
    decided_by text not null,
    is_by_rule boolean not null,
    reason text,
    decided_at timestamptz not null default clock_timestamp(),
    check (decision <> 'rejected' or (not is_by_rule and coalesce(reason, '') <> ''))
);
comment on table ledger.payment_decision is '请款审批结论 / The one decision on a request.';

create table ledger.payment_instruction (
    fixmedins_code text not null,
    instruction_id uuid not null,
    request_id uuid not null references ledger.payment_request,
    area_code text not null,
    fund_pay_type text not null,
    settlement_month text not null,
    pay_date date not null,
    purpose text not null,
    sequence int not null check (sequence > 0),
    amount numeric(18, 2) not null check (amount > 0),
    has_account boolean not null,
    account_name text,
    account_no text,
    bank_code text,
    replaces_instruction_id uuid,
    posted_in xid8 not null default pg_current_xact_id(),
    primary key (fixmedins_code, instruction_id),
    unique (fixmedins_code, fund_pay_type, settlement_month, pay_date, purpose, sequence, area_code),
    unique (instruction_id),
    unique (replaces_instruction_id),
    check (has_account = (account_no is not null and bank_code is not null))
);
comment on table ledger.payment_instruction is '拨付指令：写入一次，状态由事件得出 / Payment instructions, written once; their state follows from events.';
create index on ledger.payment_instruction (request_id);
create index on ledger.payment_instruction (area_code, settlement_month);
create index on ledger.payment_instruction (pay_date);

create table ledger.bank_file (
    message_id text primary key,
    request_id uuid not null unique references ledger.payment_request,
    area_code text not null,
    fund_pay_type text not null,
    pay_date date not null,
    transaction_count int not null,
    control_sum_amount numeric(18, 2) not null,
    sha256 text not null,
    content text not null
);
comment on table ledger.bank_file is '银行文件（发件箱）：先记账后写文件，字节恒定 / Outbox of bank files: recorded first, written afterwards, always the same bytes.';

create table ledger.bank_entry (
    bank_entry_id uuid primary key,
    area_code text not null,
    batch_id text not null,
    message_id text not null,
    kind text not null check (kind in ('status', 'booked')),
    end_to_end_id text,
    account_no text,
    side text check (side in ('debit', 'credit')),
    amount numeric(18, 2),
    booked_on date,
    status_code text,
    reason_code text,
    outcome text not null check (
        outcome in ('paid', 'rejected', 'returned', 'pending', 'accepted', 'unknown', 'amount_differs', 'not_expected')
    ),
    fixmedins_code text,
    instruction_id uuid,
    received_at timestamptz not null default clock_timestamp()
);
comment on table ledger.bank_entry is '银行回执逐笔：一笔只记一次 / What the bank said, each transaction once, with how it was matched.';
create index on ledger.bank_entry (instruction_id);
create index on ledger.bank_entry (batch_id);

create table ledger.payment_event (
    fixmedins_code text not null,
    instruction_id uuid not null,
    event text not null check (event in ('paid', 'rejected', 'returned')),
    event_no int not null default 1,
    bank_entry_id uuid not null unique references ledger.bank_entry,
    event_date date not null,
    reason_code text,
    primary key (fixmedins_code, instruction_id, event),
    foreign key (fixmedins_code, instruction_id) references ledger.payment_instruction
);
comment on table ledger.payment_event is '指令事件：到账、拒付、退汇 / What happened to an instruction: paid, rejected, returned.';

create table ledger.suspension_event (
    suspension_id text not null,
    event text not null check (event in ('opened', 'lifted')),
    area_code text not null,
    fixmedins_code text not null,
    fund_pay_type text,
    rule_code text not null,
    event_date date not null,
    resumes_on date,
    evidence jsonb not null,
    primary key (suspension_id, event),
    check ((event = 'lifted') = (resumes_on is not null))
);
comment on table ledger.suspension_event is '暂停与解除：各为一行，从不修改 / Suspensions opened and lifted, a row each.';
create index on ledger.suspension_event (area_code, fixmedins_code);

---------------------------------------------------------------------------------------------------------------- guards

create function ledger.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
        using errcode = 'restrict_violation',
        hint = 'Corrections are new rows that name what they correct (更正只能新增冲正记录).';
end
$$;

do $$
declare
    ledger_table text;
begin
    for ledger_table in select tablename from pg_tables where schemaname = 'ledger' loop
        execute format(
            'create trigger refuse_change before update or delete on ledger.%I
             for each row execute function ledger.refuse_change()', ledger_table);
        execute format(
            'create trigger refuse_truncate before truncate on ledger.%I
             for each statement execute function ledger.refuse_change()', ledger_table);
    end loop;
end
$$;

-- Lines arrive together with their entry, in one statement, and balance; later additions are refused.
create function ledger.check_entry_lines() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    offending record;
begin
    select
        line.business_event_id,
        sum(line.amount) filter (where line.side = 'debit') as debit_amount,
        sum(line.amount) filter (where line.side = 'credit') as credit_amount
    into offending
    from new_lines as line
    group by line.fixmedins_code, line.business_event_id
    having coalesce(sum(line.amount) filter (where line.side = 'debit'), 0)
        <> coalesce(sum(line.amount) filter (where line.side = 'credit'), 0)
    limit 1;
    if found then
        raise exception 'entry % does not balance: debit %, credit %',
            offending.business_event_id, coalesce(offending.debit_amount, 0), coalesce(offending.credit_amount, 0)
            using errcode = 'check_violation', hint = 'Debits must equal credits (借贷必相等).';
    end if;

    select line.business_event_id
    into offending
    from new_lines as line
    inner join ledger.entry
        on line.fixmedins_code = entry.fixmedins_code
        and line.business_event_id = entry.business_event_id
    where entry.posted_in <> pg_current_xact_id()
    limit 1;
    if found then
        raise exception 'entry % is already in the books: no line can be added', offending.business_event_id
            using errcode = 'restrict_violation';
    end if;

    select line.business_event_id
    into offending
    from new_lines as line
    group by line.fixmedins_code, line.business_event_id
    having (
        select count(*)
        from ledger.entry_line as kept
        where kept.fixmedins_code = line.fixmedins_code
            and kept.business_event_id = line.business_event_id
    ) <> count(*)
    limit 1;
    if found then
        raise exception 'lines of entry % must be inserted together', offending.business_event_id
            using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;

create trigger check_entry_lines
after insert on ledger.entry_line
referencing new table as new_lines
for each statement execute function ledger.check_entry_lines();

create function ledger.check_entry_period() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    offending record;
begin
    select entry.business_event_id, entry.accounting_date
    into offending
    from new_entries as entry
    inner join ledger.settlement_period
        on entry.area_code = settlement_period.area_code
        and to_char(entry.accounting_date, 'YYYY-MM') = settlement_period.settlement_month
    limit 1;
    if found then
        raise exception 'entry % falls on %, a closed month', offending.business_event_id, offending.accounting_date
            using errcode = 'check_violation',
            hint = 'Book it in the next open month with a reference (关账期间不得入账).';
    end if;
    return null;
end
$$;

create trigger check_entry_period
after insert on ledger.entry
referencing new table as new_entries
for each statement execute function ledger.check_entry_period();

-- An entry without lines would be an event that moved nothing: refused when the transaction ends.
create function ledger.check_entry_has_lines() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    if not exists (
        select
        from ledger.entry_line
        where entry_line.fixmedins_code = new.fixmedins_code
            and entry_line.business_event_id = new.business_event_id
    ) then
        raise exception 'entry % has no lines', new.business_event_id using errcode = 'check_violation';
    end if;
    return null;
end
$$;

create constraint trigger check_entry_has_lines
after insert on ledger.entry
deferrable initially deferred
for each row execute function ledger.check_entry_has_lines();

-- Four eyes: whoever triggered the run cannot approve its requests; a rule may approve only what it may.
create function ledger.check_payment_decision() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    request ledger.payment_request;
begin
    select * into request from ledger.payment_request where request_id = new.request_id;
    if not new.is_by_rule and new.decided_by = request.requested_by then
        raise exception 'request % was triggered by %, who cannot decide on it', new.request_id, new.decided_by
            using errcode = 'insufficient_privilege', hint = 'Another person must answer (发起人不得审批).';
    end if;
    if new.is_by_rule and (
        request.is_over_plan
        or request.total_amount > request.approval_threshold_amount
        or exists (
            select from ledger.payment_request_line as line
            where line.request_id = new.request_id and line.flag is not null
        )
    ) then
        raise exception 'request % needs a person: above the threshold, over plan or flagged', new.request_id
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create trigger check_payment_decision
before insert on ledger.payment_decision
for each row execute function ledger.check_payment_decision();

-- No instruction without an approved request that holds exactly this line.
create function ledger.check_payment_instruction() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
declare
    offending record;
begin
    select instruction.instruction_id
    into offending
    from new_instructions as instruction
    left join ledger.payment_decision
        on instruction.request_id = payment_decision.request_id
        and payment_decision.decision = 'approved'
    left join ledger.payment_request_line as line
        on instruction.request_id = line.request_id
        and instruction.fixmedins_code = line.fixmedins_code
        and instruction.settlement_month = line.settlement_month
        and instruction.amount = line.amount
    where payment_decision.request_id is null or line.request_id is null
    limit 1;
    if found then
        raise exception 'instruction % has no approved request line of its amount', offending.instruction_id
            using errcode = 'insufficient_privilege';
    end if;
    return null;
end
$$;

create trigger check_payment_instruction
after insert on ledger.payment_instruction
referencing new table as new_instructions
for each statement execute function ledger.check_payment_instruction();

grant insert on all tables in schema ledger to poster;
grant usage on all sequences in schema ledger to poster;
grant select on all tables in schema ledger to transformer, poster, auditor;
grant select on ledger.settlement_period to loader;
