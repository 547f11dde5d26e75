-- V06: a list charges for an operation and names none: the case may stand in the wrong group.
with stays as (

    select * from {{ ref('int_stays__booked') }}

),

review_rules as (

    select * from {{ ref('review_rules') }}
    where rule_code = 'V06'

),

operation_items as (

    select * from {{ ref('charge_items') }}
    where is_operation

),

operation_charges as (

    select
        items.fixmedins_code,
        items.setl_id,
        sum(items.amt) as charged_amount
    from {{ ref('stg_raw__settlement_list_items') }} as items
    inner join operation_items
        on items.med_chrgitm = operation_items.med_chrgitm
        and items.business_date between operation_items.valid_from
        and coalesce(operation_items.valid_to, date 'infinity')
    where items.business_date between {{ booked_month_start() }} and {{ booked_month_end() }}
    group by
        items.fixmedins_code,
        items.setl_id

),

operations as (

    select distinct
        fixmedins_code,
        setl_id
    from {{ ref('stg_raw__settlement_list_operations') }}
    where business_date between {{ booked_month_start() }} and {{ booked_month_end() }}

)

select
    concat_ws(':', stays.fixmedins_code, review_rules.rule_code, stays.setl_id) as finding_id,
    review_rules.rule_code,
    review_rules.severity,
    stays.area_code,
    stays.fixmedins_code,
    stays.setl_id,
    null::text as feedetl_sn,
    stays.business_date,
    stays.list_batch_id as line_batch_id,
    null::numeric as line_inscp_amount,
    0::numeric as refused_inscp_amount,
    jsonb_strip_nulls(
        jsonb_build_object('group', stays.group_code, 'operation_charged_amount', operation_charges.charged_amount)
    ) as evidence
from stays
inner join operation_charges
    on stays.fixmedins_code = operation_charges.fixmedins_code
    and stays.setl_id = operation_charges.setl_id
left join operations
    on stays.fixmedins_code = operations.fixmedins_code
    and stays.setl_id = operations.setl_id
inner join review_rules
    on stays.business_date between review_rules.valid_from and coalesce(review_rules.valid_to, date 'infinity')
where
    operation_charges.charged_amount > 0
    and operations.setl_id is null
