-- Reference: dated tables. valid_to is inclusive, empty while the row is open.
--
-- A row is never changed in place: a correction ends the old row and starts a new one. Ending (valid_to of an open
-- row) is the only update; two rows of one key may not overlap, which the loading transaction checks.

create table reference.area (
    area_code text not null,
    name text not null,
    province_code text not null,
    fund_sum_includes_account smallint not null,
    reject_limit numeric(9, 6),
    declaration_required smallint not null,
    approval_threshold numeric(18, 2) not null,
    point_basis text,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (area_code, valid_from)
);
comment on table reference.area is '统筹区参数 / Dated parameters of an area.';

create table reference.institution (
    fixmedins_code text not null,
    name text not null,
    area_code text not null,
    fixmedins_type text not null,
    hosp_lv text,
    institution_class text,
    ownership text,
    agreement_status text not null,
    agreement_from date,
    consortium_code text,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (fixmedins_code, valid_from)
);
comment on table reference.institution is '定点医药机构 / Dated register of designated institutions and their agreements.';

create table reference.bank_account (
    fixmedins_code text not null,
    account_name text not null,
    account_no text not null,
    bank_code text not null,
    bank_name text,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (fixmedins_code, valid_from)
);
comment on table reference.bank_account is '机构收款账户 / Dated accounts that institutions are paid to.';

create table reference.fund_account (
    area_code text not null,
    fund_pay_type text,
    account_name text not null,
    account_no text not null,
    bank_code text not null,
    bank_name text,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique nulls not distinct (area_code, fund_pay_type, valid_from)
);
comment on table reference.fund_account is '基金支出户 / Dated expenditure accounts that payments leave from.';

create table reference.payment_policy (
    area_code text not null,
    fixmedins_code text,
    institution_class text,
    fund_pay_type text,
    care_class text not null,
    mode text not null,
    frequency text,
    ratio numeric(9, 6),
    deposit_rate numeric(9, 6),
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique nulls not distinct (area_code, fixmedins_code, institution_class, fund_pay_type, care_class, valid_from)
);
comment on table reference.payment_policy is '即时结算拨付政策 / Dated payment modes and ratios; the most specific row wins.';

create table reference.inpatient_method (
    area_code text not null,
    fixmedins_code text,
    insutype text,
    method text not null,
    scheme_code text,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique nulls not distinct (area_code, fixmedins_code, insutype, valid_from)
);
comment on table reference.inpatient_method is '住院支付方式 / Dated payment method of inpatient care.';

create table reference.fund_budget (
    area_code text not null,
    fund_pay_type text not null,
    budget_year integer not null,
    care_class text not null,
    amount numeric(18, 2) not null,
    risk_reserve_rate numeric(9, 6),
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (area_code, fund_pay_type, budget_year, care_class, valid_from)
);
comment on table reference.fund_budget is '基金预算 / Dated budget of an area''s fund.';

create table reference.institution_budget (
    fixmedins_code text not null,
    fund_pay_type text not null,
    budget_year integer not null,
    amount numeric(18, 2) not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (fixmedins_code, fund_pay_type, budget_year, valid_from)
);
comment on table reference.institution_budget is '机构预算 / Dated budget of an institution, used by the risk rule.';

create table reference.risk_rule (
    area_code text not null,
    rule_code text not null,
    threshold numeric(18, 6),
    action text not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (area_code, rule_code, valid_from)
);
comment on table reference.risk_rule is '风控规则 / Dated risk rules of an area.';

create table reference.cash_plan (
    area_code text not null,
    fund_pay_type text not null,
    plan_month text not null,
    amount numeric(18, 2) not null,
    reserve_amount numeric(18, 2),
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (area_code, fund_pay_type, plan_month, valid_from)
);
comment on table reference.cash_plan is '用款计划 / Dated cash plan of a fund and month, with its reserve.';

create table reference.institution_factor (
    fixmedins_code text not null,
    scheme_code text not null,
    budget_year integer not null,
    grade_coefficient numeric(9, 6),
    assessment_score numeric(7, 4),
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (fixmedins_code, scheme_code, budget_year, valid_from)
);
comment on table reference.institution_factor is '机构系数与考核 / Dated coefficients and assessment scores.';

create table reference.prepayment_grant (
    grant_id text not null,
    fixmedins_code text not null,
    fund_pay_type text not null,
    granted_on date not null,
    amount numeric(18, 2) not null,
    recover_by date,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (grant_id, valid_from)
);
comment on table reference.prepayment_grant is '预付金拨付 / Dated grants of working capital.';

create table reference.procurement_payable (
    payable_id text not null,
    fixmedins_code text not null,
    supplier_code text not null,
    supplier_name text not null,
    bank_code text,
    account_no text,
    invoice_no text,
    amount numeric(18, 2) not null,
    due_date date not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (payable_id, valid_from)
);
comment on table reference.procurement_payable is '集采应付货款 / Dated payables to suppliers of procured drugs.';

create table reference.practitioner (
    code text not null,
    fixmedins_code text not null,
    status text not null,
    points numeric(9, 2),
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (code, valid_from)
);
comment on table reference.practitioner is '医保支付资格人员（不含姓名） / Dated status of practitioners, without their names.';

create table reference.catalogue_item (
    med_list_codg text not null,
    name text not null,
    kind text,
    level text,
    price_ceiling numeric(16, 6),
    sex text,
    age_min numeric(5, 1),
    age_max numeric(5, 1),
    hosp_lv_max text,
    inpatient_only smallint,
    daily_max_cnt numeric(16, 4),
    days_max integer,
    diagnosis_pattern text,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (med_list_codg, valid_from)
);
comment on table reference.catalogue_item is '目录项目及限制 / Dated catalogue items with the restrictions that the review applies.';

create table reference.trace_exempt (
    med_list_codg text not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (med_list_codg, valid_from)
);
comment on table reference.trace_exempt is '无追溯码目录 / Dated items exempt from traceability codes.';

create table reference.consortium (
    consortium_code text not null,
    fixmedins_code text not null,
    is_lead smallint not null,
    share_weight numeric(18, 6),
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (consortium_code, fixmedins_code, valid_from)
);
comment on table reference.consortium is '医共体成员 / Dated members of consortia.';

create table reference.case_review_request (
    setl_id text not null,
    reason text not null,
    applied_on date not null,
    valid_from date not null,
    valid_to date,
    batch_id text not null,
    ended_by_batch_id text,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    check (valid_to >= valid_from),
    unique (setl_id, valid_from)
);
comment on table reference.case_review_request is '特例单议申请 / Dated requests for special-case review.';

-- The loader adds rows and ends open ones; what a row says cannot be changed.
do $$
declare
    table_name text;
begin
    for table_name in select tables.table_name from information_schema.tables where table_schema = 'reference' loop
        execute format('grant insert, update (valid_to, ended_by_batch_id) on reference.%I to loader', table_name);
    end loop;
end
$$;
