-- Areas on path 3 whose month is not booked as a whole yet.
select distinct policies.area_code
from staging.stg_reference__payment_policies as policies
where
    policies.mode = 'monthly_prepay'
    and policies.valid_from < to_date(%(month)s, 'YYYY-MM') + interval '1 month'
    and policies.valid_to >= to_date(%(month)s, 'YYYY-MM')
    and policies.area_code = coalesce(%(area_code)s, policies.area_code)
    and not exists (
        select
        from ledger.point_value_publication as publications
        where
            publications.area_code = policies.area_code
            and publications.settlement_month = %(month)s
    )
order by policies.area_code
