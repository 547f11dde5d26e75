-- Bank files of a pay date, and of the requests that were instructed just now.
select message_id, area_code, pay_date, content, csv_content
from ledger.bank_file
where
    (pay_date = %(pay_date)s and (%(area_code)s::text is null or area_code = %(area_code)s))
    or request_id = any(%(request_ids)s)
order by message_id
