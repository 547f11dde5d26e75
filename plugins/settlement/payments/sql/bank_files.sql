-- Bank files of a pay date, of the requests that were instructed just now, and of earlier ones that nobody wrote.
select message_id, area_code, pay_date, content, csv_content
from ledger.bank_file
where
    request_id = any(%(request_ids)s)
    or (
        (%(area_code)s::text is null or area_code = %(area_code)s)
        and (
            pay_date = %(pay_date)s
            or (
                pay_date < %(pay_date)s
                and not exists (
                    select from ledger.bank_file_written as written where written.message_id = bank_file.message_id
                )
            )
        )
    )
order by message_id
