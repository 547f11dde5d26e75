-- Pricing: dated reference tables that payment by disease group, bed day and head asks for.
--
-- As in 04_reference.sql a row is never changed in place; ending (valid_to of an open row) is the only update. Every row
-- names the document that ordered it: these numbers decide what a hospital is paid, and are asked about for years.

create table reference.group_standard (
    area_code text not null,
    scheme_code text not null,
    group_code text not null,
    hosp_lv text,
    weight numeric(18, 4),
    mean_cost numeric(18, 2),
    is_basic smallint not null,
    priced_as text,
    min_tcm_rate numeric(9, 6),
    document text not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique nulls not distinct (area_code, scheme_code, group_code, hosp_lv, valid_from)
);
comment on table reference.group_standard is '病组（病种）支付标准：权重或分值、均费 / Dated weights, scores and mean costs of case groups; the most specific row wins.';

create table reference.group_history (
    area_code text not null,
    scheme_code text not null,
    group_code text not null,
    cost_year integer not null,
    cases integer not null,
    mean_cost numeric(18, 2) not null,
    document text not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (area_code, scheme_code, group_code, cost_year, valid_from)
);
comment on table reference.group_history is '病组（病种）历史费用 / Dated cases and mean costs of case groups by year, from which weights are computed.';

create table reference.pricing_parameter (
    area_code text not null,
    scheme_code text,
    parameter text not null,
    value text not null,
    document text not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique nulls not distinct (area_code, scheme_code, parameter, valid_from)
);
comment on table reference.pricing_parameter is '按病种付费参数 / Dated parameters of payment by disease group; a row of a scheme goes before one of the area.';

create table reference.bed_day_rate (
    area_code text not null,
    fixmedins_code text,
    hosp_lv text,
    from_day integer not null,
    day_amount numeric(18, 2) not null,
    fund_rate numeric(9, 6) not null,
    document text not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique nulls not distinct (area_code, fixmedins_code, hosp_lv, from_day, valid_from)
);
comment on table reference.bed_day_rate is '床日付费标准 / Dated rates of bed days by day of the stay; the most specific row wins.';

create table reference.capitation_contract (
    area_code text not null,
    fixmedins_code text not null,
    fund_pay_type text not null,
    budget_year integer not null,
    age_band text,
    heads integer not null,
    head_amount numeric(18, 2) not null,
    risk_weight numeric(10, 4) not null,
    paid_monthly_rate numeric(9, 6) not null,
    document text not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique nulls not distinct (area_code, fixmedins_code, fund_pay_type, budget_year, age_band, valid_from)
);
comment on table reference.capitation_contract is '按人头付费合同 / Dated capitation contracts by institution, fund, year and age band.';

-- The loader adds rows and ends open ones; what a row says cannot be changed. What waits for the expectations is seen
-- as of every other reference table (06_judged_views.sql).
do $$
declare
    table_name text;
begin
    foreach table_name in array array[
        'group_standard', 'group_history', 'pricing_parameter', 'bed_day_rate', 'capitation_contract'
    ] loop
        execute format('grant insert, update (valid_to, ended_by_batch_id) on reference.%I to loader', table_name);
        execute format(
            'create view intake.%I as select *, batch_id as judged_batch_id from reference.%I '
            'where batch_id = any(array(select batch_to_judge.batch_id from intake.batch_to_judge))',
            'judged_' || table_name, table_name
        );
        execute format(
            'comment on view intake.%I is %L',
            'judged_' || table_name,
            format('reference.%1$s 中待校验的行 / Rows of reference.%1$s that wait for the expectations.', table_name)
        );
        execute format('grant select on intake.%I to loader, transformer, auditor', 'judged_' || table_name);
    end loop;
end
$$;
