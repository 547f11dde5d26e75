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

),

-- What is charged beyond the first line, added up by item and price in the order of time.
surplus as (

    select
        *,
        sum(inscp_scp_amt) over (
            partition by area_code, business_date, fixmedins_code, setl_id, med_list_codg, pric
            order by fee_ocur_time, feedetl_sn
            rows between unbounded preceding and current row
        ) as surplus_inscp_amount
    from ranked
    where occurrence > 1

),

-- A line that takes the item back within the settlement, at the same price, has corrected a surplus line already.
-- Surplus lines are few: each looks up its own settlement, instead of every line being added up.
corrected as (

    select
        *,
        coalesce(
            (
                select -sum(reversals.inscp_scp_amt)
                from {{ ref('stg_raw__fee_items') }} as reversals
                where
                    reversals.fixmedins_code = surplus.fixmedins_code
                    and reversals.setl_id = surplus.setl_id
                    and reversals.business_date = surplus.business_date
                    and reversals.med_list_codg = surplus.med_list_codg
                    and abs(reversals.pric) = surplus.pric
                    and reversals.det_item_fee_sumamt < 0
            ),
            0
        ) as reversed_inscp_amount
    from surplus

),

recharged as (

    select
        *,
        least(inscp_scp_amt, greatest(surplus_inscp_amount - reversed_inscp_amount, 0))::numeric(18, 2)
            as refused_inscp_amount
    from corrected

)

select
    concat_ws(':', recharged.fixmedins_code, review_rules.rule_code, recharged.setl_id, recharged.feedetl_sn)
        as finding_id,
    review_rules.rule_code,
    review_rules.severity,
    recharged.area_code,
    recharged.fixmedins_code,
    recharged.setl_id,
    recharged.feedetl_sn,
    recharged.business_date,
    recharged.accepted_batch_id as line_batch_id,
    recharged.inscp_scp_amt as line_inscp_amount,
    recharged.refused_inscp_amount,
    jsonb_build_object(
        'med_list_codg', recharged.med_list_codg,
        'first_feedetl_sn', recharged.first_feedetl_sn,
        'occurrence', recharged.occurrence,
        'reversed_inscp_amount', recharged.reversed_inscp_amount
    ) as evidence
from recharged
inner join review_rules
    on recharged.business_date between review_rules.valid_from and coalesce(review_rules.valid_to, date 'infinity')
where recharged.refused_inscp_amount > 0 or recharged.reversed_inscp_amount = 0
