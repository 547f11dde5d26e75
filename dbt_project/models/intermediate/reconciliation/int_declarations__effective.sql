-- The declarations that count: of those that overlap for one key, the one delivered last.
with declarations as (

    select * from {{ ref('stg_raw__declarations') }}

)

select
    declarations.fixmedins_code,
    declarations.insutype,
    declarations.clr_type,
    declarations.period_begin_date,
    declarations.period_end_date,
    declarations.medfee_amount,
    declarations.fund_pay_amount,
    declarations.account_pay_amount,
    declarations.settlement_count,
    declarations.area_code,
    declarations.load_id,
    declarations.accepted_batch_id
from declarations
-- Also a later declaration of another period that overlaps: two declared totals for one day can not both be true.
where not exists (
    select
    from declarations as later_declarations
    where
        later_declarations.fixmedins_code = declarations.fixmedins_code
        and later_declarations.insutype = declarations.insutype
        and later_declarations.clr_type = declarations.clr_type
        and later_declarations.period_begin_date <= declarations.period_end_date
        and later_declarations.period_end_date >= declarations.period_begin_date
        and later_declarations.load_id > declarations.load_id
)
