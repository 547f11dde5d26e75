-- What a request, a decision, an instruction or a bank file says is compared with reference tables, dues and books when
-- it is written, whoever writes it: who may write cannot invent a threshold, a plan, an account, or money that is due to
-- nobody. Every check looks at one statement as a set, and at the months that are open for payment, never at all history.

alter table ledger.posting_run alter column posting_run_id set generated always;

-- A line of a request is instructed once. The constraint also serves what looked for instructions by their request.
alter table ledger.payment_instruction
    add constraint payment_instruction_of_line unique (request_id, fixmedins_code, settlement_month);
drop index ledger.payment_instruction_request_id_idx;

-- Between approval and instruction the bank may say that a failed payment left after all. The line that would pay its
-- money again is then written and not sent, like one whose account changed: the money stays payable.
alter table ledger.payment_instruction
    add column is_disputed boolean not null default false,
    add constraint payment_instruction_disputed check (not (is_disputed and has_account));
comment on column ledger.payment_instruction.is_disputed is '请款后原指令存疑 / Whether the bank said since the request that its money may have left already: nothing is sent.';

-------------------------------------------------------------------------------------------------------------- requests

-- One request asks for an area, a fund and a day, because there is one purpose: threshold and plan are judged over all
-- that is asked, and nobody splits it. Another purpose must be judged together with this one.
alter table ledger.payment_request
    add constraint payment_request_purpose check (purpose = 'daily');

-- Who asks for money of an area waits for whoever is asking for some, and then sees what that one asked for.
create function ledger.wait_for_requests(area_codes text []) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
        raise exception 'payments are not requested in a transaction that sees nothing newer than its own beginning'
            using errcode = 'invalid_transaction_state', hint = 'Use read committed (请款须用读已提交隔离级别).';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('payment requests|' || area.area_code, 0))
    from (select distinct unnest(area_codes) as area_code order by area_code) as area;
end
$$;

-- Threshold, plan and reserve are those in force on the pay date, and at least as much of the plan is used as earlier
-- requests of the month have taken: those that were not rejected, without what was not sent or came back.
create function ledger.check_payment_request() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    offending record;
begin
    perform ledger.wait_for_requests(array(select request.area_code from new_requests as request));
    select
        request.request_id,
        request.approval_threshold_amount,
        request.plan_amount,
        request.reserve_amount,
        request.plan_used_before_amount,
        request.reserve_used_before_amount,
        request.is_over_plan,
        coalesce(area.approval_threshold, 0) as threshold_in_force,
        coalesce(plan.amount, 0) as plan_in_force,
        coalesce(plan.reserve_amount, 0) as reserve_in_force,
        coalesce(used.amount, 0) as used_amount
    into offending
    from new_requests as request
    left join reference.area
        on request.area_code = area.area_code
        and request.pay_date between area.valid_from and coalesce(area.valid_to, date 'infinity')
    left join reference.cash_plan as plan
        on request.area_code = plan.area_code
        and request.fund_pay_type = plan.fund_pay_type
        and plan.plan_month = to_char(request.pay_date, 'YYYY-MM')
        and request.pay_date between plan.valid_from and coalesce(plan.valid_to, date 'infinity')
    left join lateral (
        select sum(
            case instructed.instruction_count when 0 then earlier.total_amount else instructed.amount end
        ) as amount
        from ledger.payment_request as earlier
        left join ledger.payment_decision
            on earlier.request_id = payment_decision.request_id
        left join lateral (
            select
                count(*) as instruction_count,
                coalesce(sum(instruction.amount) filter (
                    where instruction.has_account
                        and not exists (
                            select
                            from ledger.payment_event
                            where payment_event.fixmedins_code = instruction.fixmedins_code
                                and payment_event.instruction_id = instruction.instruction_id
                                and payment_event.event in ('rejected', 'returned')
                        )
                ), 0) as amount
            from ledger.payment_instruction as instruction
            where instruction.request_id = earlier.request_id
        ) as instructed on true
        where earlier.area_code = request.area_code
            and earlier.fund_pay_type = request.fund_pay_type
            and earlier.pay_date >= date_trunc('month', request.pay_date)::date
            and earlier.pay_date < (date_trunc('month', request.pay_date) + interval '1 month')::date
            and (
                earlier.request_id not in (select request_id from new_requests)
                or (earlier.pay_date, earlier.purpose) < (request.pay_date, request.purpose)
            )
            and payment_decision.decision is distinct from 'rejected'
    ) as used on true
    where request.approval_threshold_amount <> coalesce(area.approval_threshold, 0)
        or request.plan_amount <> coalesce(plan.amount, 0)
        or request.reserve_amount <> coalesce(plan.reserve_amount, 0)
        or request.plan_used_before_amount < least(coalesce(used.amount, 0), request.plan_amount)
        or request.reserve_used_before_amount
        < least(greatest(coalesce(used.amount, 0) - request.plan_amount, 0), request.reserve_amount)
        or request.is_over_plan <> (
            request.total_amount - (request.plan_amount - request.plan_used_before_amount)
            > request.reserve_amount - request.reserve_used_before_amount
        )
    limit 1;
    if not found then
        return null;
    end if;
    if offending.approval_threshold_amount <> offending.threshold_in_force then
        raise exception 'request % says that the threshold is %, and % is in force on its pay date',
            offending.request_id, offending.approval_threshold_amount, offending.threshold_in_force
            using errcode = 'check_violation', hint = 'Propose again: run the pay date again (审批限额不符, 请重跑).';
    elsif (offending.plan_amount, offending.reserve_amount) <> (offending.plan_in_force, offending.reserve_in_force) then
        raise exception 'request % says that plan and reserve are % and %, and % and % are in force on its pay date',
            offending.request_id, offending.plan_amount, offending.reserve_amount,
            offending.plan_in_force, offending.reserve_in_force
            using errcode = 'check_violation', hint = 'Propose again: run the pay date again (用款计划不符, 请重跑).';
    end if;
    raise exception 'request % says that % of the plan and % of the reserve are used, over plan %, and requests before took %',
        offending.request_id, offending.plan_used_before_amount, offending.reserve_used_before_amount,
        offending.is_over_plan, offending.used_amount
        using errcode = 'check_violation', hint = 'Propose again: run the pay date again (已用计划不符, 请重跑).';
end
$$;

create trigger check_payment_request
after insert on ledger.payment_request
referencing new table as new_requests
for each statement execute function ledger.check_payment_request();

-- What was decided on stays as it was when it was decided on. A line is for the account in force on the pay date. And it
-- asks for no more than is due of its month: entitled by the pay date, as int_payments__due counts it, less what was
-- instructed and did not come back, less what requests hold that are neither rejected nor instructed yet. The
-- books cannot say it: an entitlement is of a care class, and the refund of another class, which is paid with the month,
-- lowers what the fund owes and not what is due. Nor do deductions and booked differences (先拨后审、月度抵扣).
-- Business and pay dates of a month are never before it, and find its rows.
create or replace function ledger.check_payment_request_line() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    offending record;
    first_month text;
    first_day date;
begin
    perform ledger.wait_for_requests(
        array(
            select request.area_code
            from new_lines as line
            inner join ledger.payment_request as request
                on line.request_id = request.request_id
        )
    );
    select decision.request_id
    into offending
    from ledger.payment_decision as decision
    where decision.request_id in (select line.request_id from new_lines as line)
    limit 1;
    if found then
        raise exception 'request % is decided: no line can be added', offending.request_id
            using errcode = 'restrict_violation', hint = 'What else is due is requested with the next pay date.';
    end if;

    select line.request_id, line.fixmedins_code
    into offending
    from new_lines as line
    inner join ledger.payment_request as request
        on line.request_id = request.request_id
    left join reference.bank_account as account
        on line.fixmedins_code = account.fixmedins_code
        and request.pay_date between account.valid_from and coalesce(account.valid_to, date 'infinity')
    where (line.account_name, line.account_no, line.bank_code)
        is distinct from (account.account_name, account.account_no, account.bank_code)
    limit 1;
    if found then
        raise exception 'request % pays % to another account than the one in force on its pay date',
            offending.request_id, offending.fixmedins_code
            using errcode = 'check_violation', hint = 'Accounts come from the reference tables (收款账户不符).';
    end if;

    select min(line.settlement_month) into first_month from new_lines as line;
    if first_month !~ '^[0-9]{4}-(0[1-9]|1[0-2])$' then
        raise exception 'a line names no month: %', first_month
            using errcode = 'check_violation', hint = 'A settlement month is written 2026-03.';
    end if;
    first_day := to_date(first_month, 'YYYY-MM');
    if to_regclass('intermediate.int_daily_payables') is null
        or to_regclass('intermediate.int_instructions__still_out') is null then
        raise exception 'what is entitled is not computed yet, so nothing can be requested'
            using errcode = 'undefined_table', hint = 'Migrate the warehouse first: that makes the models (请先迁移并建模).';
    end if;
    with asked as (

        select
            request.area_code,
            line.fixmedins_code,
            request.fund_pay_type,
            line.settlement_month,
            min(request.pay_date) as pay_date,
            min(line.request_id::text) as request_id,
            sum(line.amount) as amount
        from new_lines as line
        inner join ledger.payment_request as request
            on line.request_id = request.request_id
        group by request.area_code, line.fixmedins_code, request.fund_pay_type, line.settlement_month

    ),

    entitled as (

        select
            asked.area_code,
            asked.fixmedins_code,
            asked.fund_pay_type,
            asked.settlement_month,
            sum(payable.entitled_amount) as amount
        from asked
        inner join intermediate.int_daily_payables as payable
            on asked.area_code = payable.area_code
            and asked.fixmedins_code = payable.fixmedins_code
            and asked.fund_pay_type = payable.fund_pay_type
            and asked.settlement_month = payable.settlement_month
            and asked.pay_date >= payable.payable_from
        left join ledger.settlement_period as closed
            on asked.area_code = closed.area_code
            and asked.settlement_month = closed.settlement_month
        where payable.business_date >= first_day
            and closed.area_code is null
        group by asked.area_code, asked.fixmedins_code, asked.fund_pay_type, asked.settlement_month

    ),

    -- What was rejected and left all the same did not come back.
    instructed as (

        select
            instruction.area_code,
            instruction.fixmedins_code,
            instruction.fund_pay_type,
            instruction.settlement_month,
            sum(instruction.amount) as amount
        from ledger.payment_instruction as instruction
        left join ledger.payment_event as failure
            on instruction.fixmedins_code = failure.fixmedins_code
            and instruction.instruction_id = failure.instruction_id
            and failure.event in ('rejected', 'returned')
        left join intermediate.int_instructions__still_out as still_out
            on instruction.instruction_id = still_out.instruction_id
        where instruction.pay_date >= first_day
            and instruction.area_code in (select area_code from asked)
            and instruction.has_account
            and (failure.instruction_id is null or still_out.instruction_id is not null)
        group by
            instruction.area_code, instruction.fixmedins_code, instruction.fund_pay_type, instruction.settlement_month

    ),

    -- The new lines are held as well: two requests of one statement do not ask for the same money.
    held_request as (

        select request.request_id, request.area_code, request.fund_pay_type
        from ledger.payment_request as request
        left join ledger.payment_decision
            on request.request_id = payment_decision.request_id
        where request.pay_date >= first_day
            and request.area_code in (select area_code from asked)
            and payment_decision.decision is distinct from 'rejected'
            and not exists (
                select from ledger.payment_instruction where payment_instruction.request_id = request.request_id
            )

    ),

    held as (

        select
            held_request.area_code,
            line.fixmedins_code,
            held_request.fund_pay_type,
            line.settlement_month,
            sum(line.amount) as amount
        from held_request
        inner join ledger.payment_request_line as line
            on held_request.request_id = line.request_id
        group by held_request.area_code, line.fixmedins_code, held_request.fund_pay_type, line.settlement_month

    )

    select
        asked.request_id,
        asked.fixmedins_code,
        asked.fund_pay_type,
        asked.settlement_month,
        asked.amount,
        coalesce(entitled.amount, 0) - coalesce(instructed.amount, 0)
        - (coalesce(held.amount, asked.amount) - asked.amount) as payable_amount
    into offending
    from asked
    left join entitled using (area_code, fixmedins_code, fund_pay_type, settlement_month)
    left join instructed using (area_code, fixmedins_code, fund_pay_type, settlement_month)
    left join held using (area_code, fixmedins_code, fund_pay_type, settlement_month)
    -- A month that begins after the pay date holds nothing yet, and is entitled to nothing.
    where coalesce(held.amount, asked.amount) > coalesce(entitled.amount, 0) - coalesce(instructed.amount, 0)
    limit 1;
    if found then
        raise exception 'request % asks for % for % fund % month %, and % is payable',
            offending.request_id, offending.amount, offending.fixmedins_code, offending.fund_pay_type,
            offending.settlement_month, offending.payable_amount
            using errcode = 'check_violation',
            hint = 'Propose again: run the pay date again (请款超过应拨金额, 请重跑).';
    end if;
    return null;
end
$$;

------------------------------------------------------------------------------------------------------------- decisions

-- Who somebody is does not depend on case, width, blanks or invisible characters: "Admin " is admin.
create function ledger.person_name(account text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select regexp_replace(
        lower(normalize(account, nfkc)),
        '[[:space:]\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]',
        '',
        'g'
    )
$$;

create or replace function ledger.check_payment_decision() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    request ledger.payment_request;
    lines record;
begin
    select * into request from ledger.payment_request where request_id = new.request_id;
    select count(*) as line_count, coalesce(sum(amount), 0) as total_amount
    into lines
    from ledger.payment_request_line where request_id = new.request_id;
    if new.decision = 'approved' and (lines.line_count, lines.total_amount) <> (request.line_count, request.total_amount)
    then
        raise exception 'request % asks for % in % lines, and its lines are % of together %',
            new.request_id, request.total_amount, request.line_count, lines.line_count, lines.total_amount
            using errcode = 'check_violation', hint = 'Reject it; its money is requested again (请款单与明细不符).';
    end if;
    if new.is_by_rule <> (new.decided_by = 'rule') or ledger.person_name(new.decided_by) = '' then
        raise exception 'request % is decided by % without being said whether a rule or a person decided',
            new.request_id, new.decided_by
            using errcode = 'check_violation', hint = 'A rule decides as "rule", a person in their own name (须署名).';
    end if;
    if not new.is_by_rule and ledger.person_name(new.decided_by) = ledger.person_name(request.requested_by) then
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

---------------------------------------------------------------------------------------------------------- instructions

-- No instruction without an approved request that holds exactly this line, with its account, under the request's own
-- area, fund, day and purpose; and none without all others of its request: they come in one statement and are what was
-- approved, to the fen.
create or replace function ledger.check_payment_instruction() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
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
    select
        instruction.instruction_id,
        (instruction.area_code, instruction.fund_pay_type, instruction.pay_date, instruction.purpose)
        <> (request.area_code, request.fund_pay_type, request.pay_date, request.purpose) as is_of_other_request
    into offending
    from new_instructions as instruction
    inner join ledger.payment_request as request
        on instruction.request_id = request.request_id
    inner join ledger.payment_request_line as line
        on instruction.request_id = line.request_id
        and instruction.fixmedins_code = line.fixmedins_code
        and instruction.settlement_month = line.settlement_month
    where (instruction.area_code, instruction.fund_pay_type, instruction.pay_date, instruction.purpose)
        <> (request.area_code, request.fund_pay_type, request.pay_date, request.purpose)
        or instruction.replaces_instruction_id is distinct from line.replaces_instruction_id
        or (
            instruction.has_account
            and (instruction.account_name, instruction.account_no, instruction.bank_code)
            is distinct from (line.account_name, line.account_no, line.bank_code)
        )
    limit 1;
    if found and offending.is_of_other_request then
        raise exception 'instruction % is not of the area, fund, pay date and purpose of its request', offending.instruction_id
            using errcode = 'check_violation', hint = 'An instruction carries what its request says (指令与请款单不符).';
    elsif found then
        raise exception 'instruction % pays to another account, or in the place of another payment, than was approved',
            offending.instruction_id
            using errcode = 'check_violation',
            hint = 'Money goes to the approved account or is not sent (收款账户与审批不符).';
    end if;
    select request.request_id, request.total_amount, instructed.total_amount as instructed_amount
    into offending
    from (
        select request_id, count(*) as line_count, sum(amount) as total_amount
        from new_instructions
        group by request_id
    ) as instructed
    inner join ledger.payment_request as request
        on instructed.request_id = request.request_id
    where (instructed.line_count, instructed.total_amount) <> (request.line_count, request.total_amount)
    limit 1;
    if found then
        raise exception 'request % of % is not instructed as it was approved, but with %',
            offending.request_id, offending.total_amount, offending.instructed_amount
            using errcode = 'check_violation', hint = 'Instruct all lines of a request in one statement.';
    end if;
    return null;
end
$$;

------------------------------------------------------------------------------------------------------------ bank files

-- A bank file is its request's, counts and sums what was sent of it, is the bytes it says it is, leaves the fund's own
-- account, and carries each payment as it was instructed: id, amount, bank, account. Its text is taken apart once.
create function ledger.check_bank_file() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    request ledger.payment_request;
    sent record;
    differing_id text;
    debtor text;
begin
    select * into request from ledger.payment_request where request_id = new.request_id;
    if (new.area_code, new.fund_pay_type, new.pay_date)
        is distinct from (request.area_code, request.fund_pay_type, request.pay_date) then
        raise exception 'bank file % is not of the area, fund and pay date of its request', new.message_id
            using errcode = 'check_violation', hint = 'A bank file carries what its request says (银行文件与请款单不符).';
    end if;
    select count(*) as transaction_count, coalesce(sum(amount), 0) as amount
    into sent
    from ledger.payment_instruction as instruction
    where instruction.request_id = new.request_id and instruction.has_account;
    if (new.transaction_count, new.control_sum_amount) <> (sent.transaction_count, sent.amount) then
        raise exception 'bank file % says % payments of %, and % of % were instructed',
            new.message_id, new.transaction_count, new.control_sum_amount, sent.transaction_count, sent.amount
            using errcode = 'check_violation', hint = 'Count and sum are those of the instructions (笔数或金额不符).';
    end if;
    if new.sha256 <> encode(sha256(convert_to(new.content, 'UTF8')), 'hex') then
        raise exception 'bank file % is not the content that its hash is of', new.message_id
            using errcode = 'check_violation', hint = 'The hash is SHA-256 of the content in UTF-8 (散列不符).';
    end if;

    debtor := substring(new.content from '<DbtrAcct>\s*<Id>\s*<Othr>\s*<Id>([^<]*)</Id>');
    if not exists (
        select
        from reference.fund_account as account
        where account.area_code = new.area_code
            and coalesce(account.fund_pay_type, new.fund_pay_type) = new.fund_pay_type
            and new.pay_date between account.valid_from and coalesce(account.valid_to, date 'infinity')
            and replace(replace(replace(account.account_no, '&', '&amp;'), '<', '&lt;'), '>', '&gt;') = debtor
    ) then
        raise exception 'bank file % does not pay from an account of its fund', new.message_id
            using errcode = 'check_violation', hint = 'Payments leave the expenditure account of the fund (支出户不符).';
    end if;

    with carried as (

        select
            true as is_carried,
            substring(payment from '<EndToEndId>([^<]*)</EndToEndId>') as end_to_end_id,
            substring(payment from '<InstdAmt Ccy="CNY">([^<]*)</InstdAmt>') as amount,
            substring(payment from '<MmbId>([^<]*)</MmbId>') as bank_code,
            substring(payment from '<CdtrAcct>\s*<Id>\s*<Othr>\s*<Id>([^<]*)</Id>') as account_no
        from regexp_split_to_table(new.content, '<CdtTrfTxInf>') with ordinality as part (payment, part_no)
        where part_no > 1

    ),

    instructed as (

        select
            true as is_instructed,
            replace(instruction.instruction_id::text, '-', '') as end_to_end_id,
            instruction.amount::text as amount,
            instruction.bank_code,
            replace(replace(replace(instruction.account_no, '&', '&amp;'), '<', '&lt;'), '>', '&gt;') as account_no
        from ledger.payment_instruction as instruction
        where instruction.request_id = new.request_id and instruction.has_account

    )

    select coalesce(carried.end_to_end_id, instructed.end_to_end_id, '?')
    into differing_id
    from carried
    full join instructed using (end_to_end_id, amount, bank_code, account_no)
    where carried.is_carried is null or instructed.is_instructed is null
    limit 1;
    -- No second spelling of a payment that the above would not have seen.
    if differing_id is null
        and (
            (select count(*) from regexp_matches(new.content, 'CdtTrfTxInf|EndToEndId|InstdAmt|CdtrAcct', 'g'))
            <> 8 * new.transaction_count
            or position('<!' in new.content) > 0
        )
    then
        differing_id := '?';
    end if;
    if differing_id is not null then
        raise exception 'bank file % does not carry payment % as it was instructed', new.message_id, differing_id
            using errcode = 'check_violation', hint = 'A bank file carries exactly what was instructed (银行文件与指令不符).';
    end if;
    return new;
end
$$;

create trigger check_bank_file
before insert on ledger.bank_file
for each row execute function ledger.check_bank_file();
