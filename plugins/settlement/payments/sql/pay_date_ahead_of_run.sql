-- How many working days after the day of the run the pay date may lie, a dated setting.
select value::int
from seeds.settings
where setting = 'pay_date_ahead_of_run' and %(day_of_run)s between valid_from and coalesce(valid_to, date 'infinity')
