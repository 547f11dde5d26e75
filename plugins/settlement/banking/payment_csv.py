"""Write a payment file as CSV, for the people who check it beside the XML."""

import csv
import io

from settlement.banking.payment_file import CURRENCY, PaymentFile
from settlement.spreadsheet import safe_identifier, safe_text

COLUMNS = (
    "message_id",
    "execution_date",
    "end_to_end_id",
    "creditor_code",
    "creditor_name",
    "creditor_account",
    "creditor_bank_code",
    "currency",
    "amount",
    "remittance",
    "debtor_name",
    "debtor_account",
    "debtor_bank_code",
)


def write(file: PaymentFile) -> bytes:
    """Give the same content as the XML, one row a payment in the same order: RFC 4180, UTF-8 with BOM.

    Without the BOM spreadsheet programs on Chinese Windows read the names as GBK.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for payment in file.payments:
        writer.writerow(
            [
                safe_text(file.message_id),
                file.execution_date.isoformat(),
                payment.end_to_end_id,
                safe_text(payment.creditor_code),
                safe_text(payment.creditor.name),
                safe_identifier(payment.creditor.number),
                safe_identifier(payment.creditor.bank_code),
                CURRENCY,
                f"{payment.amount:.2f}",
                safe_text(payment.remittance),
                safe_text(file.debtor.name),
                safe_identifier(file.debtor.number),
                safe_identifier(file.debtor.bank_code),
            ]
        )
    return text.getvalue().encode("utf-8-sig")
