-- Bank files as they were recorded, of one area or of all.
select message_id, area_code, pay_date, sha256, content, csv_content
from ledger.bank_file
where %(area_code)s::text is null or area_code = %(area_code)s
order by message_id
