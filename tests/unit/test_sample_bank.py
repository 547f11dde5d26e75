"""The bank of the sample answers in files that the platform reads as it reads a real bank's."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from settlement.banking import pain001
from settlement.banking.camt054 import parse_camt054
from settlement.banking.pain002 import parse_pain002
from settlement.banking.payment_file import BankAccount, Payment, PaymentFile
from settlement.errors import SettlementError
from settlement.sample.bank import answer_payment_file

BOOKED_ON = date(2026, 3, 2)
PAYMENTS = tuple(
    Payment(
        instruction_id=UUID(int=number),
        amount=Decimal(number) / 100,
        creditor=BankAccount("测试医院", f"62{number:014d}", "102330000000"),
        creditor_code=f"H330100{number:05d}",
        remittance="测试",
    )
    for number in range(1, 11)
)
ORDER = pain001.write(
    PaymentFile(
        message_id="MSG1",
        created_at=datetime(2026, 3, 2, 1, tzinfo=UTC),
        execution_date=BOOKED_ON,
        debtor=BankAccount("测试支出户", "933010001", "102330000001"),
        payments=PAYMENTS,
    )
)
IDS = [payment.end_to_end_id for payment in PAYMENTS]


def test_payments_are_booked_rejected_or_returned(tmp_path: Path) -> None:
    batch_id = answer_payment_file(
        ORDER, area_code="330100", booked_on=BOOKED_ON, directory=tmp_path, reject_ids=IDS[:2], return_ids=IDS[2:3]
    )
    folder = tmp_path / batch_id
    with (folder / "camt054.xml").open("rb") as stream:
        entries = list(parse_camt054(stream))
    with (folder / "pain002.xml").open("rb") as stream:
        statuses = list(parse_pain002(stream))
    assert [(status.end_to_end_id, status.status) for status in statuses] == [(IDS[0], "RJCT"), (IDS[1], "RJCT")]
    assert [entry.end_to_end_id for entry in entries if entry.side == "debit"] == IDS[2:]
    assert [entry.end_to_end_id for entry in entries if entry.side == "credit"] == IDS[2:3]
    assert sum(entry.amount for entry in entries if entry.side == "debit") == Decimal("0.52")
    assert {(entry.booked_on, entry.status, entry.account) for entry in entries} == {(BOOKED_ON, "BOOK", "933010001")}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {file["format"]: file["rows"] for file in manifest["files"]} == {"camt054": 9, "pain002": 2}


def test_a_share_is_rejected_alike_every_time(tmp_path: Path) -> None:
    answers = []
    for name in ("one", "two"):
        batch_id = answer_payment_file(
            ORDER, area_code="330100", booked_on=BOOKED_ON, directory=tmp_path / name, reject_share=0.3
        )
        folder = tmp_path / name / batch_id
        answers.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert answers[0] == answers[1]
    assert answers[0]["pain002.xml"].count(b"RJCT") == 3


def test_another_message_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettlementError, match="holds Document"):
        answer_payment_file(b"<Document/>", area_code="330100", booked_on=BOOKED_ON, directory=tmp_path)
