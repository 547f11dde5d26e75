-- V02: a unit price above the catalogue's ceiling or the line's own limit.
with fee_items as (

    select * from {{ ref('stg_raw__fee_items') }}

),

catalogue_items as (

    select * from {{ ref('stg_reference__catalogue_items') }}
    where price_ceiling is not null

),

review_rules as (

    select * from {{ ref('review_rules') }}
    where rule_code = 'V02'

),

lines_with_ceiling as (

    select
        fee_items.*,
        least(catalogue_items.price_ceiling, fee_items.pric_uplmt_amt) as price_ceiling
    from fee_items
    left join catalogue_items
        on fee_items.med_list_codg = catalogue_items.med_list_codg
        and fee_items.business_date between catalogue_items.valid_from and catalogue_items.valid_to
    where fee_items.det_item_fee_sumamt > 0

),

-- What the institution itself has already put outside the insured scope (overlmt_amt) is not refused once more.
excesses as (

    select
        *,
        least(
            inscp_scp_amt,
            greatest({{ yuan('(pric - price_ceiling) * cnt') }} - overlmt_amt, 0)
        )::numeric(18, 2) as refused_inscp_amount
    from lines_with_ceiling
    where pric > price_ceiling

)

select
    concat_ws(':', excesses.fixmedins_code, review_rules.rule_code, excesses.setl_id, excesses.feedetl_sn)
        as finding_id,
    review_rules.rule_code,
    review_rules.severity,
    excesses.area_code,
    excesses.fixmedins_code,
    excesses.setl_id,
    excesses.feedetl_sn,
    excesses.business_date,
    excesses.accepted_batch_id as line_batch_id,
    excesses.inscp_scp_amt as line_inscp_amount,
    excesses.refused_inscp_amount,
    jsonb_build_object(
        'med_list_codg', excesses.med_list_codg,
        'price', excesses.pric,
        'price_ceiling', excesses.price_ceiling,
        'quantity', excesses.cnt
    ) as evidence
from excesses
inner join review_rules
    on excesses.business_date between review_rules.valid_from and coalesce(review_rules.valid_to, date 'infinity')
where excesses.refused_inscp_amount > 0
