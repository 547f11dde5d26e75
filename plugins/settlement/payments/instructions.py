"""Disbursement: instructions of an approved request, their entries and the bank file, all in one transaction (拨付).

The bank file leaves through an outbox: it is stored with the instructions first and written to the outbox folder
after the commit. A crash in between loses nothing, because the next run writes the same bytes under the same id.
"""

import hashlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
from psycopg.rows import class_row

from settlement.banking import pain001, payment_csv
from settlement.banking.payment_file import BankAccount, Payment, PaymentFile, payment_file, usable_account
from settlement.errors import SettlementError
from settlement.ledger.posting import post
from settlement.ledger.transactions import Failures, each_in_a_transaction
from settlement.payments.bank_files import write_bank_files
from settlement.statements import statement
from settlement.warehouse import connect, transaction_lock

log = logging.getLogger(__name__)

PACKAGE = "settlement.payments"
INSTRUCTION_COLUMNS = (
    "fixmedins_code, instruction_id, request_id, area_code, fund_pay_type, settlement_month, pay_date, purpose,"
    " sequence, amount, has_account, account_name, account_no, bank_code, replaces_instruction_id, suspended_by,"
    " is_account_changed, is_disputed"
)


@dataclass(frozen=True)
class Disbursement:
    """What one request put on its way, in yuan; the lines of the other counts were not sent."""

    request_id: str
    area_code: str
    fund_pay_type: str
    pay_date: str
    instruction_count: int
    total_amount: str
    no_account_count: int
    account_changed_count: int
    disputed_count: int
    suspended_count: int
    message_id: str | None


@dataclass(frozen=True)
class _Waiting:
    """An approved request that is not instructed yet, as messages name it."""

    request_id: UUID
    area_code: str
    fund_pay_type: str
    pay_date: date

    def __str__(self) -> str:
        return f"area {self.area_code}, fund {self.fund_pay_type}, pay date {self.pay_date}"


@dataclass(frozen=True)
class _Request:
    """The business key of a request."""

    request_id: UUID
    area_code: str
    fund_pay_type: str
    pay_date: date
    purpose: str


@dataclass(frozen=True)
class _Line:
    """One line of a request with the account that it was requested for, and what speaks against paying to it."""

    fixmedins_code: str
    settlement_month: str
    amount: Decimal
    replaces_instruction_id: UUID | None
    sequence: int
    account_name: str | None
    account_no: str | None
    bank_code: str | None
    is_account_changed: bool
    is_disputed: bool
    suspended_by: str | None

    @property
    def account(self) -> BankAccount | None:
        """The account to pay to; None where there is none, none that a bank message can carry, or it must not be."""
        if self.unsent_because:
            return None
        return usable_account(self.account_name, self.account_no, self.bank_code)

    @property
    def unsent_for_account(self) -> bool:
        """Whether the account is what keeps the line from being sent: one reason is kept, the suspension first."""
        return self.is_account_changed and not self.suspended_by

    @property
    def unsent_for_dispute(self) -> bool:
        """Whether it is not sent for nothing but that its money may have left already."""
        return self.is_disputed and not self.is_account_changed and not self.suspended_by

    @property
    def unsent_because(self) -> str | None:
        """What happened since the request that keeps the line from being sent, in words; None where nothing did."""
        if self.suspended_by:
            return f"is suspended by {self.suspended_by}"
        if self.is_account_changed:
            return "has another account than the one that was approved (收款账户已变更)"
        if self.is_disputed:
            return "may have been paid already: the bank said more since the request (原指令可能已付出)"
        return None


def disburse_approved(
    *,
    pay_date: date,
    area_code: str | None,
    posted_by: str,
    request_id: UUID | None = None,
    without: Collection[str] = (),
    failures: Failures | None = None,
) -> list[Disbursement]:
    """Instruct every approved request up to `pay_date` that is not instructed yet, then write the bank files.

    Each request commits by itself, and one that fails stops no other. What an interrupted run left, requests and
    files alike, is finished.

    Args:
        pay_date: The day to pay on; what is approved from earlier ones is instructed too.
        area_code: The one area to pay in; None for every area.
        posted_by: Who started it.
        request_id: The one request to instruct, where it is meant alone.
        without: Areas to leave alone.
        failures: Takes what goes wrong, by request, instead of its being raised in the end.
    """
    scope: dict[str, Any] = {"pay_date": pay_date, "area_code": area_code}
    with connect("poster") as connection:
        waiting = _waiting(connection, {**scope, "request_id": request_id, "without": list(without)})
        connection.commit()
        try:
            made = each_in_a_transaction(
                connection,
                waiting,
                lambda request: disburse(connection, request.request_id, paid_on=pay_date, posted_by=posted_by),
                failures,
            )
        finally:
            write_bank_files(connection, **scope, request_ids=[request.request_id for request in waiting])
    return [disbursement for disbursement in made if disbursement]


def _waiting(connection: psycopg.Connection[Any], scope: dict[str, Any]) -> list[_Waiting]:
    with connection.cursor(row_factory=class_row(_Waiting)) as cursor:
        return cursor.execute(statement(PACKAGE, "requests_to_disburse"), scope).fetchall()


def disburse(
    connection: psycopg.Connection[Any], request_id: UUID, *, paid_on: date, posted_by: str
) -> Disbursement | None:
    """Instruct one approved request in the caller's transaction; None if another run did it in the meantime.

    `paid_on` is the pay date of the run, which may come days after the request's own: who is suspended by then is not
    paid, and the money stays payable.

    Raises:
        SettlementError: ``not_approved``; ``fund_account_missing``; ``bank_account_invalid``; those of the posting.
    """
    request = _approved_request(connection, request_id)
    transaction_lock(connection, "post", request.area_code)
    if _is_instructed(connection, request_id):
        return None
    connection.execute("select set_config('settlement.pay_date', %s, true)", [request.pay_date.isoformat()])
    connection.execute("select set_config('settlement.area_code', %s, true)", [request.area_code])
    lines = _lines(connection, request_id, paid_on)
    ids = [_instruction_id(request, line) for line in lines]
    _insert_instructions(connection, request, lines, ids)
    post(
        connection,
        "entries.entry_instructed",
        area_code=request.area_code,
        purpose=f"instructed {request.fund_pay_type} {request.pay_date}",
        posted_by=posted_by,
    )
    payable = [(line, id, line.account) for line, id in zip(lines, ids, strict=True) if line.account]
    file = _payment_file(connection, request, payable) if payable else None
    if file:
        _insert_bank_file(connection, request, file)
    for line in lines:
        if line.account is None:
            reason = line.unsent_because or "has no account that a bank can pay to"
            log.warning("institution %s %s: nothing is sent", line.fixmedins_code, reason)
    log.info("area %s fund %s: %d payments instructed", request.area_code, request.fund_pay_type, len(payable))
    return Disbursement(
        request_id=str(request_id),
        area_code=request.area_code,
        fund_pay_type=request.fund_pay_type,
        pay_date=request.pay_date.isoformat(),
        instruction_count=len(payable),
        total_amount=str(file.total if file else Decimal("0.00")),
        no_account_count=sum(not line.unsent_because and line.account is None for line in lines),
        account_changed_count=sum(line.unsent_for_account for line in lines),
        disputed_count=sum(line.unsent_for_dispute for line in lines),
        suspended_count=sum(bool(line.suspended_by) for line in lines),
        message_id=file.message_id if file else None,
    )


def _approved_request(connection: psycopg.Connection[Any], request_id: UUID) -> _Request:
    with connection.cursor(row_factory=class_row(_Request)) as cursor:
        request = cursor.execute(
            "select request_id, area_code, fund_pay_type, pay_date, purpose from ledger.payment_request"
            " join ledger.payment_decision using (request_id) where request_id = %s and decision = 'approved'",
            [request_id],
        ).fetchone()
    if request is None:
        raise SettlementError(
            "not_approved", f"request {request_id} is not approved", "a person must approve it first (未经审批不得拨付)"
        )
    return request


def _is_instructed(connection: psycopg.Connection[Any], request_id: UUID) -> bool:
    row = connection.execute(
        "select exists (select from ledger.payment_instruction where request_id = %s)", [request_id]
    ).fetchone()
    return bool(row and row[0])


def _lines(connection: psycopg.Connection[Any], request_id: UUID, paid_on: date) -> list[_Line]:
    scope = {"request_id": request_id, "paid_on": paid_on}
    with connection.cursor(row_factory=class_row(_Line)) as cursor:
        return cursor.execute(statement(PACKAGE, "lines_to_instruct"), scope).fetchall()


def _instruction_id(request: _Request, line: _Line) -> UUID:
    """Give the id of an instruction: a function of its business key, so that a repeated run gives the same one."""
    key = [
        request.area_code,
        line.fixmedins_code,
        request.fund_pay_type,
        line.settlement_month,
        request.pay_date.isoformat(),
        request.purpose,
        str(line.sequence),
    ]
    return uuid5(NAMESPACE_URL, "instruction|" + "|".join(key))


def _insert_instructions(
    connection: psycopg.Connection[Any], request: _Request, lines: Sequence[_Line], ids: Sequence[UUID]
) -> None:
    """Write all instructions in one statement, so that the database checks them against the request at once."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy ledger.payment_instruction ({INSTRUCTION_COLUMNS}) from stdin") as rows,
    ):
        for line, instruction_id in zip(lines, ids, strict=True):
            account = line.account
            rows.write_row(
                [
                    line.fixmedins_code,
                    instruction_id,
                    request.request_id,
                    request.area_code,
                    request.fund_pay_type,
                    line.settlement_month,
                    request.pay_date,
                    request.purpose,
                    line.sequence,
                    line.amount,
                    account is not None,
                    account and account.name,
                    account and account.number,
                    account and account.bank_code,
                    line.replaces_instruction_id,
                    line.suspended_by,
                    line.unsent_for_account,
                    line.unsent_for_dispute,
                ]
            )


def _payment_file(
    connection: psycopg.Connection[Any], request: _Request, payable: Sequence[tuple[_Line, UUID, BankAccount]]
) -> PaymentFile:
    return payment_file(
        area_code=request.area_code,
        fund_pay_type=request.fund_pay_type,
        pay_date=request.pay_date,
        purpose=request.purpose,
        debtor=_paying_account(connection, request),
        payments=[
            Payment(
                instruction_id=instruction_id,
                amount=line.amount,
                creditor=account,
                creditor_code=line.fixmedins_code,
                remittance=f"医保基金拨付 {line.fixmedins_code} {request.fund_pay_type} {line.settlement_month}",
            )
            for line, instruction_id, account in payable
        ],
    )


def _paying_account(connection: psycopg.Connection[Any], request: _Request) -> BankAccount:
    row = connection.execute(
        statement(PACKAGE, "paying_account"),
        {"area_code": request.area_code, "fund_pay_type": request.fund_pay_type, "pay_date": request.pay_date},
    ).fetchone()
    if row is None:
        raise SettlementError(
            "fund_account_missing",
            f"area {request.area_code} has no expenditure account for fund {request.fund_pay_type}"
            f" on {request.pay_date}",
            "deliver a fund_account row by a reference batch, then run the pay date again (缺少支出户)",
        )
    return BankAccount(*row)


def _insert_bank_file(connection: psycopg.Connection[Any], request: _Request, file: PaymentFile) -> None:
    content = pain001.write(file)
    connection.execute(
        statement(PACKAGE, "insert_bank_file"),
        {
            "message_id": file.message_id,
            "request_id": request.request_id,
            "area_code": request.area_code,
            "fund_pay_type": request.fund_pay_type,
            "pay_date": request.pay_date,
            "transaction_count": len(file.payments),
            "control_sum_amount": file.total,
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": content.decode(),
            "csv_content": payment_csv.write(file).decode(),
        },
    )
