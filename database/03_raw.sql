-- Raw: the accepted rows, typed, append-only, with contract names; nothing here names a person.
--
-- Beside its contract columns every row says where it came from: batch_id, file_no, line_no (delivered in) and
-- accepted_batch_id (the batch whose load accepted it: another one only for a refund that waited for its original).
-- The contract's columns stand in plugins/settlement/contract/tables.py; a test proves that both agree.
-- fixmedins_code leads every key of the tables of settlement grain, so that they can be distributed by institution.

create table raw.settlement (
    setl_id text not null,
    init_setl_id text,
    refd_setl_flag smallint not null,
    mdtrt_id text not null,
    fixmedins_code text not null,
    person_key text not null,
    gend text,
    brdy date,
    insutype text not null,
    psn_type text,
    med_type text not null,
    clr_type text not null,
    clr_way text not null,
    insu_admdvs text not null,
    mdtrtarea_admvs text not null,
    setl_time timestamptz not null,
    begndate date not null,
    enddate date not null,
    dise_codg text,
    medfee_sumamt numeric(18, 2) not null,
    fulamt_ownpay_amt numeric(18, 2) not null,
    overlmt_selfpay numeric(18, 2) not null,
    preselfpay_amt numeric(18, 2) not null,
    inscp_scp_amt numeric(18, 2) not null,
    act_pay_dedc numeric(18, 2),
    pool_prop_selfpay numeric(9, 6),
    hifp_pay numeric(18, 2) not null,
    cvlserv_pay numeric(18, 2) not null,
    hifes_pay numeric(18, 2) not null,
    hifmi_pay numeric(18, 2) not null,
    hifob_pay numeric(18, 2) not null,
    hifdm_pay numeric(18, 2) not null,
    maf_pay numeric(18, 2) not null,
    oth_pay numeric(18, 2) not null,
    fund_pay_sumamt numeric(18, 2) not null,
    psn_part_amt numeric(18, 2) not null,
    acct_pay numeric(18, 2) not null,
    psn_cash_pay numeric(18, 2) not null,
    acct_mulaid_pay numeric(18, 2) not null,
    hosp_part_amt numeric(18, 2) not null,
    invono text,
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null
) partition by range (business_date);
comment on table raw.settlement is '结算：每笔结算或退费一行，只增不改，无个人身份 / One row per accepted settlement or refund; append-only; no person identity.';

create table raw.fee_item (
    fixmedins_code text not null,
    setl_id text not null,
    feedetl_sn text not null,
    med_list_codg text not null,
    med_list_name text,
    medins_list_codg text,
    med_chrgitm_type text not null,
    chrgitm_lv text,
    cnt numeric(16, 4) not null,
    pric numeric(16, 6) not null,
    det_item_fee_sumamt numeric(18, 2) not null,
    fulamt_ownpay_amt numeric(18, 2) not null,
    overlmt_amt numeric(18, 2) not null,
    preselfpay_amt numeric(18, 2) not null,
    inscp_scp_amt numeric(18, 2) not null,
    pric_uplmt_amt numeric(16, 6),
    selfpay_prop numeric(9, 6),
    lmt_used_flag smallint,
    fee_ocur_time timestamptz not null,
    bilg_dept_codg text,
    bilg_dr_codg text,
    acord_dept_codg text,
    acord_dr_codg text,
    days integer,
    drug_trac_codg text,
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (fixmedins_code, setl_id, feedetl_sn, business_date)
) partition by range (business_date);
comment on table raw.fee_item is '费用明细 / One row per accepted fee line.';

create table raw.settlement_list (
    setl_id text not null,
    mdtrt_id text not null,
    fixmedins_code text not null,
    person_key text not null,
    medcasno text not null,
    gend text not null,
    brdy date not null,
    age numeric(4, 1),
    nwb_age integer,
    nwb_bir_wt numeric(7, 2),
    nwb_adm_wt numeric(7, 2),
    nwb_adm_type text,
    hi_type text,
    insuplc text,
    sp_psn_type text,
    ipt_med_type text not null,
    adm_way text,
    trt_type text,
    adm_time timestamptz not null,
    dscg_time timestamptz not null,
    adm_caty text,
    dscg_caty text,
    act_ipt_days integer not null,
    diag_code_cnt integer,
    oprn_oprt_code_cnt integer,
    vent_used_dura text,
    dscg_way text not null,
    days_rinp_flag_31 text,
    bill_code text not null,
    bill_no text not null,
    biz_sn text not null,
    setl_begn_date date not null,
    setl_end_date date not null,
    hi_paymtd text not null,
    hsorg text,
    psn_selfpay numeric(18, 2),
    psn_ownpay numeric(18, 2),
    acct_pay numeric(18, 2),
    psn_cashpay numeric(18, 2),
    chfpdr_code text,
    resp_nurs_code text,
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (fixmedins_code, setl_id, business_date)
) partition by range (business_date);
comment on table raw.settlement_list is '医疗保障基金结算清单 / One row per accepted inpatient settlement list.';

create table raw.settlement_list_diagnosis (
    fixmedins_code text not null,
    setl_id text not null,
    seq integer not null,
    diag_type text,
    diag_code text not null,
    diag_name text,
    adm_cond_type text,
    maindiag_flag smallint,
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (fixmedins_code, setl_id, seq, business_date)
) partition by range (business_date);
comment on table raw.settlement_list_diagnosis is '清单诊断 / One row per diagnosis of an accepted list; seq 1 is the main one.';

create table raw.settlement_list_operation (
    fixmedins_code text not null,
    setl_id text not null,
    seq integer not null,
    oprn_oprt_type text,
    oprn_oprt_code text not null,
    oprn_oprt_name text,
    oprn_oprt_date date,
    oprn_oprt_begntime timestamptz,
    oprn_oprt_endtime timestamptz,
    anst_way text,
    oper_dr_code text,
    anst_dr_code text,
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (fixmedins_code, setl_id, seq, business_date)
) partition by range (business_date);
comment on table raw.settlement_list_operation is '清单手术操作 / One row per operation of an accepted list; seq 1 is the main one.';

create table raw.settlement_list_item (
    fixmedins_code text not null,
    setl_id text not null,
    med_chrgitm text not null,
    amt numeric(18, 2) not null,
    claa_sumfee numeric(18, 2),
    clab_amt numeric(18, 2),
    fulamt_ownpay_amt numeric(18, 2),
    oth_amt numeric(18, 2),
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (fixmedins_code, setl_id, med_chrgitm, business_date)
) partition by range (business_date);
comment on table raw.settlement_list_item is '清单收费项目 / One row per charge category of an accepted list.';

create table raw.settlement_list_icu (
    fixmedins_code text not null,
    setl_id text not null,
    scs_cutd_ward_type text,
    scs_cutd_inpool_time timestamptz,
    scs_cutd_exit_time timestamptz,
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique nulls not distinct (fixmedins_code, setl_id, scs_cutd_ward_type, scs_cutd_inpool_time, business_date)
) partition by range (business_date);
comment on table raw.settlement_list_icu is '清单重症监护 / One row per intensive-care stay of an accepted list.';

create table raw.declaration (
    fixmedins_code text not null,
    insutype text not null,
    clr_type text not null,
    stmt_begndate date not null,
    stmt_enddate date not null,
    medfee_sumamt numeric(18, 2) not null,
    fund_pay_sumamt numeric(18, 2) not null,
    acct_pay numeric(18, 2) not null,
    fixmedins_setl_cnt integer not null,
    load_id bigint generated always as identity,
    area_code text not null,
    business_date date not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null
);
comment on table raw.declaration is '机构申报对账总额（交易 3201）；同一键后到者替代先到者，两者都保留 / An institution''s own totals (transaction 3201); the latest load of a key counts, all are kept.';

create table raw.review_decision (
    finding_id text not null,
    decision text not null,
    amount numeric(18, 2),
    decided_by text not null,
    decided_at timestamptz not null,
    reason text,
    stage text not null,
    area_code text not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (finding_id, stage, decided_at)
);
comment on table raw.review_decision is '审核决定 / One row per decision of a reviewer.';

create table raw.case_review (
    setl_id text not null,
    decision text not null,
    points numeric(18, 4),
    decided_on date not null,
    panel text,
    area_code text not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (setl_id, decided_on)
);
comment on table raw.case_review is '特例单议结果 / One row per result of special-case review.';

create table raw.clearing_bill (
    bill_id text not null,
    bill_month text not null,
    insu_province text not null,
    treat_province text not null,
    fund_pay_type text not null,
    amount numeric(18, 2) not null,
    cases integer not null,
    direction text not null,
    issued_on date not null,
    area_code text not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null,
    unique (bill_id)
);
comment on table raw.clearing_bill is '跨省清算账单 / One row per cross-province bill.';

create table raw.bank_transaction (
    message_format text not null,
    message_id text,
    original_message_id text,
    account_no text,
    entry_reference text,
    servicer_reference text,
    end_to_end_id text,
    status text,
    reason_code text,
    reason_text text,
    side text,
    amount numeric(18, 2),
    currency text,
    booking_date date,
    area_code text not null,
    batch_id text not null,
    accepted_batch_id text not null,
    file_no int not null,
    line_no bigint not null,
    row_hash uuid not null unique
);
comment on table raw.bank_transaction is '银行回执：pain.002 状态与 camt.054 入账 / One row per transaction of a bank answer: pain.002 statuses and camt.054 booked entries.';

-- Who has accepted which settlement: setl_id is unique nationwide, whatever the institution and the month.
create table raw.settlement_key (
    fixmedins_code text not null,
    setl_id text not null,
    batch_id text not null,
    business_date date not null,
    primary key (setl_id)
);
comment on table raw.settlement_key is '已接收结算的键 / Key of every accepted settlement: one id is accepted once, and its row is found by institution and day.';

-- What downstream reads to know what is new: one row for each business date a load has added settlements to.
create table raw.accepted_day (
    accepted_batch_id text not null,
    area_code text not null,
    business_date date not null,
    row_count bigint not null check (row_count > 0),
    load_id bigint generated always as identity,
    primary key (accepted_batch_id, business_date)
);
comment on table raw.accepted_day is '各批次接收的业务日 / One row per batch and business date with accepted settlements, in load order.';
create index on raw.accepted_day (area_code, business_date);

-- Refunds whose original has not arrived. `outcome` is set once, by the load that brings the original.
create table intake.pending_refund (
    like raw.settlement including comments,
    file_name text not null,
    outcome text check (outcome in ('accepted', 'quarantined')),
    outcome_batch_id text,
    primary key (fixmedins_code, setl_id, batch_id),
    check ((outcome is null) = (outcome_batch_id is null))
);
alter table intake.pending_refund drop column accepted_batch_id;
-- One that was refused may be corrected by another batch and wait again; at any time one of an id waits.
create unique index on intake.pending_refund (setl_id) where outcome is null;
create index on intake.pending_refund (batch_id);
create index on intake.pending_refund (outcome_batch_id) where outcome_batch_id is not null;
comment on table intake.pending_refund is '等待原结算的退费 / Refunds that wait for their original settlement.';
create index on intake.pending_refund (init_setl_id) where outcome is null;

-- A settlement is found by its id, which is unique nationwide. A day of a month is found by the block ranges it was
-- loaded into, at next to no cost for the load.
create index on raw.settlement (setl_id);
create index on raw.settlement using brin (business_date);
create index on raw.fee_item using brin (business_date);
create index on raw.settlement (init_setl_id) where init_setl_id is not null;
create index on raw.settlement using brin (accepted_batch_id);
create index on raw.declaration (fixmedins_code, insutype, clr_type, business_date);
create index on raw.bank_transaction (batch_id);
create index on raw.bank_transaction (end_to_end_id);

-- Partitions are months of the business date. The loader calls this for the dates of a batch; house keeping calls it
-- ahead of time. SECURITY DEFINER, because the loader owns no table; it takes dates only, and at most 40 years.
create function raw.ensure_partitions(from_date date, to_date date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    table_name text;
    month_start date;
    partition_name text;
begin
    if to_date - from_date > 14610 then
        raise exception 'partitions for % to % are more than 40 years', from_date, to_date;
    end if;
    for month_start in
        select month::date from generate_series(date_trunc('month', from_date), to_date, interval '1 month') as month
    loop
        foreach table_name in array array[
            'settlement', 'fee_item', 'settlement_list', 'settlement_list_diagnosis',
            'settlement_list_operation', 'settlement_list_item', 'settlement_list_icu'
        ] loop
            partition_name := table_name || '_' || to_char(month_start, 'YYYYMM');
            if to_regclass('raw.' || partition_name) is null then
                perform pg_advisory_xact_lock(hashtext('raw.ensure_partitions'));
                execute format(
                    'create table if not exists raw.%I partition of raw.%I for values from (%L) to (%L)',
                    partition_name, table_name, month_start, month_start + interval '1 month'
                );
            end if;
        end loop;
    end loop;
end
$$;
revoke all on function raw.ensure_partitions from public;
grant execute on function raw.ensure_partitions to loader;

-- Append-only: the loader may add rows and nothing else, but for the outcome of a refund that waited.
grant insert on all tables in schema raw to loader;
grant insert on intake.pending_refund to loader;
grant update (outcome, outcome_batch_id) on intake.pending_refund to loader;
