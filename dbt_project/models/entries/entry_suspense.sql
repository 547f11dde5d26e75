-- The bank booked money that no instruction explains, or that its instruction did not expect: it stands in suspense until
-- a person has found out. Movements of the run's batch.
with in_suspense as (

    select * from {{ ref('int_bank_entries__in_suspense') }}
    where batch_id = {{ batch_id() }}

),

events as (

    select
        concat_ws(':', {{ area_party('area_code') }}, 'suspense', bank_entry_id) as business_event_id,
        area_code,
        {{ area_party('area_code') }} as fixmedins_code,
        fund_pay_type,
        booked_on as event_date,
        {{ settlement_month('booked_on') }} as settlement_month,
        debit_amount as adjustment_amount,
        bank_entry_id::text as source_id,
        null::text as reverses_event_id
    from in_suspense

)

{{ entry_lines('suspense', 'events') }}
