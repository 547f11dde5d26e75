-- What a month's booking comes to before its settlement: what is due, the quality deposit kept of it, what the review
-- deducted of inpatient cases in the month, and the rest. (90-drg-dip.md §4.5: the deposit is due less what is paid,
-- never rounded twice)
with bookings as (

    select
        fixmedins_code,
        area_code,
        fund_pay_type,
        settlement_month,
        sum(booked_amount) as due_amount
    from {{ ref('int_case_bookings') }}
    group by
        fixmedins_code,
        area_code,
        fund_pay_type,
        settlement_month

),

institutions as (

    select * from {{ ref('stg_reference__institutions') }}

),

policies as (

    select * from {{ ref('stg_reference__payment_policies') }}
    where care_class in ('inpatient', 'all')

),

movements as (

    {{ payable_movements(['deducted', 'restored']) }}

),

-- The id of a finding names its settlement.
deducted_settlements as (

    select
        *,
        split_part(source_id, ':', 3) as setl_id
    from movements

),

-- Looked up by id: a deduction counts in the month in which it is final, whenever its settlement came.
inpatient_settlements as (

    select
        settlements.fixmedins_code,
        settlements.setl_id
    from {{ ref('int_settlements__classified') }} as settlements
    where
        settlements.setl_id = any(array(select deducted_settlements.setl_id from deducted_settlements))
        and {{ is_inpatient_case('settlements') }}

),

deductions as (

    select
        deducted_settlements.fixmedins_code,
        deducted_settlements.fund_pay_type,
        deducted_settlements.settlement_month,
        -sum(deducted_settlements.payable_amount) as deducted_amount
    from deducted_settlements
    inner join inpatient_settlements
        on deducted_settlements.fixmedins_code = inpatient_settlements.fixmedins_code
        and deducted_settlements.setl_id = inpatient_settlements.setl_id
    group by
        deducted_settlements.fixmedins_code,
        deducted_settlements.fund_pay_type,
        deducted_settlements.settlement_month

),

-- The same order of precedence as for daily payments (30-rules.md §4.1), at the end of the month.
with_policy as (

    select distinct on (bookings.fixmedins_code, bookings.fund_pay_type, bookings.settlement_month)
        bookings.*,
        coalesce(policies.deposit_rate, 0) as deposit_rate
    from bookings
    left join institutions
        on bookings.fixmedins_code = institutions.fixmedins_code
        and (to_date(bookings.settlement_month, 'YYYY-MM') + interval '1 month' - interval '1 day')::date
        between institutions.valid_from and institutions.valid_to
    left join policies
        on bookings.area_code = policies.area_code
        and (to_date(bookings.settlement_month, 'YYYY-MM') + interval '1 month' - interval '1 day')::date
        between policies.valid_from and policies.valid_to
        and bookings.fixmedins_code = coalesce(policies.fixmedins_code, bookings.fixmedins_code)
        and (policies.institution_class is null or institutions.institution_class = policies.institution_class)
        and bookings.fund_pay_type = coalesce(policies.fund_pay_type, bookings.fund_pay_type)
    order by
        bookings.fixmedins_code asc,
        bookings.fund_pay_type asc,
        bookings.settlement_month asc,
        policies.fixmedins_code is null,
        policies.institution_class is null,
        policies.fund_pay_type is null,
        policies.care_class = 'all'

)

select
    with_policy.fixmedins_code,
    with_policy.area_code,
    with_policy.fund_pay_type,
    with_policy.settlement_month,
    with_policy.due_amount::numeric(18, 2) as due_amount,
    with_policy.deposit_rate::numeric(9, 6) as deposit_rate,
    (with_policy.due_amount - {{ yuan('with_policy.due_amount * (1 - with_policy.deposit_rate)') }})::numeric(18, 2)
        as deposit_amount,
    coalesce(deductions.deducted_amount, 0)::numeric(18, 2) as deducted_amount,
    ({{ yuan('with_policy.due_amount * (1 - with_policy.deposit_rate)') }} - coalesce(deductions.deducted_amount, 0))
    ::numeric(18, 2) as payable_amount
from with_policy
left join deductions
    on with_policy.fixmedins_code = deductions.fixmedins_code
    and with_policy.fund_pay_type = deductions.fund_pay_type
    and with_policy.settlement_month = deductions.settlement_month
