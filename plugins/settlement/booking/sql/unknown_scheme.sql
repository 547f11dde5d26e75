-- A payment method in force in the month whose scheme nobody imported, or imported as another kind.
select
    methods.area_code,
    methods.method,
    methods.scheme_code
from staging.stg_reference__inpatient_methods as methods
left join staging.stg_grouper__schemes as schemes
    on methods.scheme_code = schemes.version
    and methods.method = schemes.kind
where
    methods.method in ('drg', 'dip')
    and schemes.version is null
    and methods.valid_from < to_date(%(month)s, 'YYYY-MM') + interval '1 month'
    and methods.valid_to >= to_date(%(month)s, 'YYYY-MM')
    and methods.area_code = coalesce(%(area_code)s, methods.area_code)
order by
    methods.area_code,
    methods.scheme_code
limit 1
