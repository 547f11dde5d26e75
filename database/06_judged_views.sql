-- Judged: accepted rows that wait for Great Expectations, with the context the rules ask for, so that it runs in the
-- warehouse the very conditions the row gate ran on arrival. Columns have the contract's names and the gate's types: the
-- person key stands under psn_no, times are wall-clock times of Asia/Shanghai.
--
-- Which batches wait is written `= any(array(...))`: the list is known before the rows are read, so the index on
-- accepted_batch_id finds them and the check costs the same whatever the history.

create view intake.batch_to_judge as
select batch.batch_id
from intake.batch
where batch.status = 'accepted'
    and batch.kind <> 'bank_receipt'
    and (
        batch.batch_id not in (select unnest(expectation_run.batch_ids) from intake.expectation_run)
        or batch.batch_id in (select stopped_batch.batch_id from intake.stopped_batch)
    );
comment on view intake.batch_to_judge is '待校验批次：尚未校验或被叫停 / Accepted batches that no run of the expectations has judged, and those the last one stopped.';

create index on raw.fee_item using brin (accepted_batch_id);
create index on raw.settlement_list using brin (accepted_batch_id);
create index on raw.settlement_list_diagnosis using brin (accepted_batch_id);
create index on raw.settlement_list_operation using brin (accepted_batch_id);
create index on raw.settlement_list_item using brin (accepted_batch_id);
create index on raw.settlement_list_icu using brin (accepted_batch_id);
create index on raw.declaration using brin (accepted_batch_id);

create view intake.judged_settlement as
select
    settlement.setl_id,
    settlement.init_setl_id,
    settlement.refd_setl_flag,
    settlement.mdtrt_id,
    settlement.fixmedins_code,
    settlement.person_key as psn_no,
    settlement.gend,
    settlement.brdy,
    settlement.insutype,
    settlement.psn_type,
    settlement.med_type,
    settlement.clr_type,
    settlement.clr_way,
    settlement.insu_admdvs,
    settlement.mdtrtarea_admvs,
    settlement.setl_time at time zone 'Asia/Shanghai' as setl_time,
    settlement.begndate,
    settlement.enddate,
    settlement.dise_codg,
    settlement.medfee_sumamt,
    settlement.fulamt_ownpay_amt,
    settlement.overlmt_selfpay,
    settlement.preselfpay_amt,
    settlement.inscp_scp_amt,
    settlement.act_pay_dedc,
    settlement.pool_prop_selfpay,
    settlement.hifp_pay,
    settlement.cvlserv_pay,
    settlement.hifes_pay,
    settlement.hifmi_pay,
    settlement.hifob_pay,
    settlement.hifdm_pay,
    settlement.maf_pay,
    settlement.oth_pay,
    settlement.fund_pay_sumamt,
    settlement.psn_part_amt,
    settlement.acct_pay,
    settlement.psn_cash_pay,
    settlement.acct_mulaid_pay,
    settlement.hosp_part_amt,
    settlement.invono,
    settlement.business_date,
    settlement.accepted_batch_id as judged_batch_id,
    batch.business_date as batch_business_date,
    batch.created_at at time zone 'Asia/Shanghai' as batch_created_at,
    batch.area_code as batch_area_code,
    coalesce(area.fund_sum_includes_account, 0::smallint) as area_fund_sum_includes_account,
    institution.fixmedins_code is not null as institution_known,
    institution.agreement_status <> 'ended'
    and coalesce(institution.agreement_from <= settlement.business_date, true) as agreement_in_force,
    institution.area_code as institution_area_code
from raw.settlement
inner join intake.batch on settlement.batch_id = batch.batch_id
left join reference.area
    on settlement.area_code = area.area_code
    and settlement.business_date >= area.valid_from
    and settlement.business_date <= coalesce(area.valid_to, 'infinity')
left join reference.institution
    on settlement.fixmedins_code = institution.fixmedins_code
    and settlement.business_date >= institution.valid_from
    and settlement.business_date <= coalesce(institution.valid_to, 'infinity')
where settlement.accepted_batch_id = any(array(select batch_to_judge.batch_id from intake.batch_to_judge));
comment on view intake.judged_settlement is '结算与判定所需的上下文 / Accepted settlements with what the rules need to know about them.';

create view intake.judged_fee_item as
select
    fee_item.*,
    fee_item.accepted_batch_id as judged_batch_id,
    batch.created_at as batch_created_at
from raw.fee_item
inner join intake.batch on fee_item.batch_id = batch.batch_id
where fee_item.accepted_batch_id = any(array(select batch_to_judge.batch_id from intake.batch_to_judge));
comment on view intake.judged_fee_item is '费用明细与判定所需的上下文 / Accepted fee lines with what the rules need to know about them.';

create view intake.judged_declaration as
select
    declaration.*,
    declaration.accepted_batch_id as judged_batch_id,
    batch.created_at at time zone 'Asia/Shanghai' as batch_created_at,
    batch.area_code as batch_area_code,
    institution.fixmedins_code is not null as institution_known,
    institution.agreement_status <> 'ended'
    and coalesce(institution.agreement_from <= declaration.business_date, true) as agreement_in_force,
    institution.area_code as institution_area_code
from raw.declaration
inner join intake.batch on declaration.batch_id = batch.batch_id
left join reference.institution
    on declaration.fixmedins_code = institution.fixmedins_code
    and declaration.business_date >= institution.valid_from
    and declaration.business_date <= coalesce(institution.valid_to, 'infinity')
where declaration.accepted_batch_id = any(array(select batch_to_judge.batch_id from intake.batch_to_judge));
comment on view intake.judged_declaration is '对账申报与判定所需的上下文 / Accepted declarations with what the rules need to know about them.';

create view intake.judged_settlement_list as
select
    settlement_list.setl_id,
    settlement_list.mdtrt_id,
    settlement_list.fixmedins_code,
    settlement_list.person_key as psn_no,
    settlement_list.medcasno,
    settlement_list.gend,
    settlement_list.brdy,
    settlement_list.age,
    settlement_list.nwb_age,
    settlement_list.nwb_bir_wt,
    settlement_list.nwb_adm_wt,
    settlement_list.nwb_adm_type,
    settlement_list.ipt_med_type,
    settlement_list.adm_way,
    settlement_list.trt_type,
    settlement_list.adm_time at time zone 'Asia/Shanghai' as adm_time,
    settlement_list.dscg_time at time zone 'Asia/Shanghai' as dscg_time,
    settlement_list.act_ipt_days,
    settlement_list.diag_code_cnt,
    settlement_list.oprn_oprt_code_cnt,
    settlement_list.vent_used_dura,
    settlement_list.dscg_way,
    settlement_list.bill_code,
    settlement_list.bill_no,
    settlement_list.biz_sn,
    settlement_list.setl_begn_date,
    settlement_list.setl_end_date,
    settlement_list.hi_paymtd,
    settlement_list.psn_selfpay,
    settlement_list.psn_ownpay,
    settlement_list.acct_pay,
    settlement_list.psn_cashpay,
    settlement_list.business_date,
    settlement_list.accepted_batch_id as judged_batch_id,
    batch.created_at at time zone 'Asia/Shanghai' as batch_created_at,
    batch.area_code as batch_area_code,
    institution.fixmedins_code is not null as institution_known,
    institution.agreement_status <> 'ended'
    and coalesce(institution.agreement_from <= settlement_list.business_date, true) as agreement_in_force,
    institution.area_code as institution_area_code,
    settlement_list.person_key is not distinct from settlement.person_key as parent_accepted,
    settlement.medfee_sumamt as settlement_medfee_sumamt,
    items.item_amount_sum,
    diagnoses.diagnosis_count,
    operations.operation_count,
    diagnoses.main_diagnosis_count,
    diagnoses.main_diagnosis_code,
    diagnoses.main_diagnosis_condition,
    diagnoses.diagnosis_codes,
    operations.first_operation_date,
    operations.last_operation_date,
    icu.first_icu_time,
    icu.last_icu_time
from raw.settlement_list
inner join intake.batch on settlement_list.batch_id = batch.batch_id
left join reference.institution
    on settlement_list.fixmedins_code = institution.fixmedins_code
    and settlement_list.business_date >= institution.valid_from
    and settlement_list.business_date <= coalesce(institution.valid_to, 'infinity')
left join raw.settlement_key
    on settlement_list.fixmedins_code = settlement_key.fixmedins_code
    and settlement_list.setl_id = settlement_key.setl_id
left join raw.settlement
    on settlement_key.fixmedins_code = settlement.fixmedins_code
    and settlement_key.setl_id = settlement.setl_id
    and settlement_key.business_date = settlement.business_date
left join lateral (
    select
        count(*) as diagnosis_count,
        count(*) filter (where flagged.is_main) as main_diagnosis_count,
        min(flagged.diag_code) filter (where flagged.is_main) as main_diagnosis_code,
        min(flagged.adm_cond_type) filter (where flagged.is_main) as main_diagnosis_condition,
        '|' || string_agg(flagged.diag_code, '|' order by flagged.seq) || '|' as diagnosis_codes
    from (
        select
            diagnosis.diag_code,
            diagnosis.adm_cond_type,
            diagnosis.seq,
            coalesce(diagnosis.diag_type, '1') = '1'
            and case
                when
                    max(diagnosis.maindiag_flag) filter (where coalesce(diagnosis.diag_type, '1') = '1') over () = 1
                    then coalesce(diagnosis.maindiag_flag = 1, false)
                else diagnosis.seq = 1
            end as is_main
        from raw.settlement_list_diagnosis as diagnosis
        where diagnosis.fixmedins_code = settlement_list.fixmedins_code
            and diagnosis.setl_id = settlement_list.setl_id
            and diagnosis.business_date = settlement_list.business_date
            and diagnosis.accepted_batch_id = settlement_list.accepted_batch_id
    ) as flagged
) as diagnoses on true
left join lateral (
    select
        count(*) as operation_count,
        min(
            coalesce(
                operation.oprn_oprt_date,
                (operation.oprn_oprt_begntime at time zone 'Asia/Shanghai')::date,
                (operation.oprn_oprt_endtime at time zone 'Asia/Shanghai')::date
            )
        ) as first_operation_date,
        max(
            coalesce(
                operation.oprn_oprt_date,
                (operation.oprn_oprt_endtime at time zone 'Asia/Shanghai')::date,
                (operation.oprn_oprt_begntime at time zone 'Asia/Shanghai')::date
            )
        ) as last_operation_date
    from raw.settlement_list_operation as operation
    where operation.fixmedins_code = settlement_list.fixmedins_code
        and operation.setl_id = settlement_list.setl_id
        and operation.business_date = settlement_list.business_date
        and operation.accepted_batch_id = settlement_list.accepted_batch_id
) as operations on true
left join lateral (
    select sum(item.amt) as item_amount_sum
    from raw.settlement_list_item as item
    where item.fixmedins_code = settlement_list.fixmedins_code
        and item.setl_id = settlement_list.setl_id
        and item.business_date = settlement_list.business_date
        and item.accepted_batch_id = settlement_list.accepted_batch_id
) as items on true
left join lateral (
    select
        min(stay.scs_cutd_inpool_time) at time zone 'Asia/Shanghai' as first_icu_time,
        max(coalesce(stay.scs_cutd_exit_time, stay.scs_cutd_inpool_time)) at time zone 'Asia/Shanghai' as last_icu_time
    from raw.settlement_list_icu as stay
    where stay.fixmedins_code = settlement_list.fixmedins_code
        and stay.setl_id = settlement_list.setl_id
        and stay.business_date = settlement_list.business_date
        and stay.accepted_batch_id = settlement_list.accepted_batch_id
) as icu on true
where settlement_list.accepted_batch_id = any(array(select batch_to_judge.batch_id from intake.batch_to_judge));
-- What the gate knew of a list on arrival: the children of its own batch. intake/context.py has the same definitions.
comment on view intake.judged_settlement_list is '结算清单与判定所需的上下文 / Accepted lists with what the rules need to know about them, children included.';

-- Tables whose rules need no context, by the column that names the batch.
do $$
declare
    relation record;
begin
    for relation in
        select
            columns.table_schema,
            columns.table_name,
            columns.column_name,
            case columns.table_name
                when 'review_decision' then 'review'
                else columns.table_name
            end as contract_name
        from information_schema.columns
        where (
            columns.table_schema = 'raw'
            and columns.column_name = 'accepted_batch_id'
            and columns.table_name in (
                'settlement_list_diagnosis', 'settlement_list_operation', 'settlement_list_item',
                'settlement_list_icu', 'review_decision', 'case_review', 'clearing_bill'
            )
        ) or (columns.table_schema = 'reference' and columns.column_name = 'batch_id')
    loop
        execute format(
            'create view intake.%I as select *, %I as judged_batch_id from %I.%I '
            'where %I = any(array(select batch_to_judge.batch_id from intake.batch_to_judge))',
            'judged_' || relation.contract_name, relation.column_name, relation.table_schema, relation.table_name,
            relation.column_name
        );
        execute format(
            'comment on view intake.%I is %L',
            'judged_' || relation.contract_name,
            format('%s.%s 中待校验的行 / Rows of %s.%s that wait for the expectations.',
                relation.table_schema, relation.table_name, relation.table_schema, relation.table_name)
        );
    end loop;
end
$$;

grant select on all tables in schema intake to loader, transformer, auditor;
