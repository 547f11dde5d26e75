-- The newest date that can be paid on: so many days, a dated setting, after the newest accepted business date.
select accepted.newest_business_date, accepted.newest_business_date + settings.value::int as newest_pay_date
from (
    select max(accepted_day.business_date) as newest_business_date
    from raw.accepted_day
    where %(area_code)s::text is null or accepted_day.area_code = %(area_code)s
) as accepted
inner join seeds.settings
    on settings.setting = 'pay_date_lookahead'
    and %(pay_date)s between settings.valid_from and coalesce(settings.valid_to, date 'infinity')
where accepted.newest_business_date is not null
