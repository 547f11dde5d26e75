-- What a row means, whatever format brought it.

-- Western or Chinese medicine, by the form of the code; settlement/gate/diagnoses.py has the same words for arriving
-- rows, and why. Everything that asks "western?" or "main?" reads this column.
alter table raw.settlement_list_diagnosis
    add column is_western boolean not null generated always as (
        case
            when diag_code ~ '^[A-Z]{2,3}[0-9A-Z.]*$' or diag_code ~ '^[AB][0-9]{2}(\.[0-9]{2}){2,5}\.?$' then false
            when diag_code is null or diag_code ~ '^[AB][0-9]{2}(\.[0-9]{2})?\.?$' then coalesce(diag_type, '1') = '1'
            else true
        end
    ) stored;
comment on column raw.settlement_list_diagnosis.is_western is '是否西医诊断，按编码形式判定 / Whether it is a western diagnosis, by the form of its code.';

alter table reference.area add column diag_type_dictionary text;
comment on column reference.area.diag_type_dictionary is '诊断类别字典：tcm_2_3 为 2、3 中医；western_2 为 2 其他西医、3、4 中医；空为国家字典 / Dictionary of diag_type: tcm_2_3 has Chinese medicine under 2 and 3, western_2 other western diagnoses under 2; empty means the national one.';

alter table reference.area add column fee_sum_tolerance numeric(18, 2);
comment on column reference.area.fee_sum_tolerance is '明细合计与医疗费总额之差的容差（元），空为 0 / How far (yuan) the sum of fee lines may be from the total before it is said; empty means not at all.';

-- Views list the columns of their tables as they were; these two read the new ones.
drop view intake.judged_area;
create view intake.judged_area as
select
    area.*,
    area.batch_id as judged_batch_id
from reference.area
where area.batch_id = any(array(select batch_to_judge.batch_id from intake.batch_to_judge));
comment on view intake.judged_area is 'reference.area 中待校验的行 / Rows of reference.area that wait for the expectations.';

drop view intake.judged_settlement_list_diagnosis;
create view intake.judged_settlement_list_diagnosis as
select
    diagnosis.*,
    area.diag_type_dictionary as area_diag_type_dictionary,
    diagnosis.accepted_batch_id as judged_batch_id
from raw.settlement_list_diagnosis as diagnosis
left join reference.area
    on diagnosis.area_code = area.area_code
    and diagnosis.business_date >= area.valid_from
    and diagnosis.business_date <= coalesce(area.valid_to, 'infinity')
where diagnosis.accepted_batch_id = any(array(select batch_to_judge.batch_id from intake.batch_to_judge));
comment on view intake.judged_settlement_list_diagnosis is '清单诊断与判定所需的上下文 / Accepted diagnoses with what the rules need to know about them.';

grant select on intake.judged_area, intake.judged_settlement_list_diagnosis to loader, transformer, auditor;

create or replace view intake.judged_settlement_list as
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
            diagnosis.is_western
            and case
                when max(diagnosis.maindiag_flag) filter (where diagnosis.is_western) over () = 1
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
