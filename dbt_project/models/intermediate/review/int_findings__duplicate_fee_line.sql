-- V01: the same item charged again in one settlement at the same moment, in the same quantity and for the same money.
with fee_items as (

    select * from {{ ref('stg_raw__fee_items') }}

),

review_rules as (

    select * from {{ ref('review_rules') }}
    where rule_code = 'V01'

),

-- Area and date stand in the partition, so that a reader's days are picked before the lines are ranked. What tells
-- lines apart soonest comes first: millions are sorted, and most comparisons end at the settlement or the item.
ranked as (

    select
        *,
        row_number() over charges as occurrence,
        first_value(feedetl_sn) over charges as first_feedetl_sn
    from fee_items
    where det_item_fee_sumamt > 0
    window charges as (
        partition by
            setl_id,
            med_list_codg,
            fee_ocur_time,
            det_item_fee_sumamt,
            cnt,
            pric,
            medins_list_codg,
            bilg_dept_codg,
            bilg_dr_codg,
            fixmedins_code,
            area_code,
            business_date
        order by feedetl_sn
    )

)

select
    concat_ws(':', ranked.fixmedins_code, review_rules.rule_code, ranked.setl_id, ranked.feedetl_sn) as finding_id,
    review_rules.rule_code,
    review_rules.severity,
    ranked.area_code,
    ranked.fixmedins_code,
    ranked.setl_id,
    ranked.feedetl_sn,
    ranked.business_date,
    ranked.inscp_scp_amt as refused_inscp_amount,
    jsonb_build_object(
        'med_list_codg', ranked.med_list_codg,
        'first_feedetl_sn', ranked.first_feedetl_sn,
        'occurrence', ranked.occurrence
    ) as evidence
from ranked
inner join review_rules
    on ranked.business_date between review_rules.valid_from and coalesce(review_rules.valid_to, date 'infinity')
where ranked.occurrence > 1
