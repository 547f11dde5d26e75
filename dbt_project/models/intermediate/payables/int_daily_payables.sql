-- What an institution is entitled to be paid daily, by fund, care class and day, under the most specific policy.
{{
    config(
        materialized='period_replace',
        period_versions='int_payable_days__versioned',
        contract={'enforced': true},
        indexes=[{'columns': ['business_date', 'area_code']}],
        tags=['proposal'],
    )
}}
with touched_days as (

    {{ touched_days(ref('int_payable_days__versioned')) }}

),

versions as (

    select * from {{ ref('int_payable_days__versioned') }}

),

bases as (

    select *
    from {{ ref('int_daily_bases') }} as bases
    where {{ on_touched_days('bases') }}

),

policies as (

    select * from {{ ref('stg_reference__payment_policies') }}

),

-- The institution's own row before its class's before the area's; a named fund before all; a care class before all.
bases_with_policy as (

    select distinct on (
        bases.fixmedins_code, bases.fund_pay_type, bases.care_class, bases.business_date, bases.is_held
    )
        bases.fixmedins_code,
        bases.fund_pay_type,
        bases.care_class,
        bases.business_date,
        bases.area_code,
        bases.is_held,
        bases.base_amount,
        coalesce(policies.mode, 'monthly') as mode,
        coalesce(policies.frequency, 'day') as frequency,
        case when policies.mode in ('daily_ratio', 'per_claim') then policies.ratio_rate else 0 end as rate
    from bases
    left join policies
        on bases.area_code = policies.area_code
        and bases.business_date between policies.valid_from and policies.valid_to
        and bases.fixmedins_code = coalesce(policies.fixmedins_code, bases.fixmedins_code)
        and (policies.institution_class is null or bases.institution_class = policies.institution_class)
        and bases.fund_pay_type = coalesce(policies.fund_pay_type, bases.fund_pay_type)
        and policies.care_class in (bases.care_class, 'all')
    order by
        bases.fixmedins_code,
        bases.fund_pay_type,
        bases.care_class,
        bases.business_date,
        bases.is_held,
        policies.fixmedins_code is null,
        policies.institution_class is null,
        policies.fund_pay_type is null,
        policies.care_class = 'all'

),

claim_keys as (

    select *
    from bases_with_policy
    where mode = 'per_claim' and not is_held

),

held_days as (

    select * from {{ ref('int_days__held') }}

),

-- Paid claim by claim, every claim is rounded for itself.
claims as (

    select
        claim_keys.fixmedins_code,
        claim_keys.fund_pay_type,
        claim_keys.care_class,
        claim_keys.business_date,
        sum({{ yuan('claim_keys.rate * settlement_funds.fund_amount') }}) as entitled_amount
    from claim_keys
    inner join {{ ref('int_settlement_funds') }} as settlement_funds
        on claim_keys.fixmedins_code = settlement_funds.fixmedins_code
        and claim_keys.fund_pay_type = settlement_funds.fund_pay_type
        and claim_keys.care_class = settlement_funds.care_class
        and claim_keys.business_date = settlement_funds.business_date
    left join held_days
        on settlement_funds.fixmedins_code = held_days.fixmedins_code
        and settlement_funds.insutype = held_days.insutype
        and settlement_funds.clr_type = held_days.clr_type
        and settlement_funds.business_date = held_days.business_date
    where
        held_days.fixmedins_code is null
        and settlement_funds.business_date between
        (select min(first_keys.business_date) from claim_keys as first_keys)
        and (select max(last_keys.business_date) from claim_keys as last_keys)
    group by
        claim_keys.fixmedins_code,
        claim_keys.fund_pay_type,
        claim_keys.care_class,
        claim_keys.business_date

)

select
    bases_with_policy.fixmedins_code,
    bases_with_policy.fund_pay_type,
    bases_with_policy.care_class,
    bases_with_policy.business_date,
    bases_with_policy.is_held,
    bases_with_policy.area_code,
    {{ settlement_month('bases_with_policy.business_date') }} as settlement_month,
    bases_with_policy.base_amount::numeric(18, 2) as base_amount,
    bases_with_policy.mode,
    bases_with_policy.frequency,
    bases_with_policy.rate::numeric(9, 6) as rate,
    case
        when bases_with_policy.is_held then 0
        when bases_with_policy.mode = 'daily_ratio'
            then {{ yuan('bases_with_policy.rate * bases_with_policy.base_amount') }}
        when bases_with_policy.mode = 'per_claim' then coalesce(claims.entitled_amount, 0)
        else 0
    end::numeric(18, 2) as entitled_amount,
    {{ payable_from('bases_with_policy.business_date', 'bases_with_policy.frequency') }} as payable_from,
    case when bases_with_policy.is_held then 'reconciliation' end as hold_reason,
    versions.day_version
from bases_with_policy
inner join versions
    on bases_with_policy.area_code = versions.area_code
    and bases_with_policy.business_date = versions.business_date
left join claims
    on bases_with_policy.fixmedins_code = claims.fixmedins_code
    and bases_with_policy.fund_pay_type = claims.fund_pay_type
    and bases_with_policy.care_class = claims.care_class
    and bases_with_policy.business_date = claims.business_date
    and not bases_with_policy.is_held
