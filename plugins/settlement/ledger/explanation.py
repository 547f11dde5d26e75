"""Follow one settlement to the money in the account, or one payment back to its settlements (逐笔追溯)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from settlement.errors import SettlementError
from settlement.statements import statement
from settlement.warehouse import connect

Row = dict[str, Any]

OF_SETTLEMENT = {
    "settlement": "Settlement 结算单",
    "funds": "What each fund pays 各基金支付",
    "reconciliation": "Reconciliation of its group 对账",
    "findings": "Review findings 审核疑点",
    "booking": "Group, points and booked amount 入组、点数与记账",
    "booked_entries": "Booked differences of its institution and month 所在机构与月份的记账分录",
    "accrual": "Accrual in the books 计提分录",
    "payables": "Payable of its day 当日应付",
    "carried_by": "Instructions of its month 所在月份的拨付指令",
}
OF_INSTRUCTION = {
    "instruction": "Payment instruction 拨付指令",
    "request": "Request, approval and bank file 请款、审批与银行文件",
    "entries": "Entries 分录",
    "bank_entries": "What the bank said 银行回执",
    "days": "Business dates it settles 所结业务日",
}


@dataclass(frozen=True)
class Section:
    """One table of an explanation; `name` is stable, `title` is for people."""

    name: str
    title: str
    rows: list[Row]


@dataclass(frozen=True)
class Explanation:
    """Everything behind one settlement or one instruction."""

    kind: str
    identifier: str
    sections: tuple[Section, ...]


def explain(identifier: str) -> Explanation:
    """Explain a settlement id or an instruction id (with dashes, or as the bank's end-to-end id without), as auditor.

    Raises:
        SettlementError: ``not_found`` if it is neither.
    """
    with connect("auditor") as connection:
        return _of_settlement(connection, identifier) or _of_instruction(connection, identifier) or _refuse(identifier)


def _of_settlement(connection: psycopg.Connection[Any], identifier: str) -> Explanation | None:
    key = _row(
        connection,
        "select setl_id, fixmedins_code, business_date from raw.settlement_key where setl_id = %s",
        identifier,
    )
    if key is None:
        return None
    sections = _sections(connection, OF_SETTLEMENT, key)
    instruction_ids = {row["instruction_id"] for row in sections[-1].rows}
    bank_rows = [
        {"instruction_id": instruction_id, **row}
        for instruction_id in sorted(instruction_ids)
        for row in _rows(connection, "bank_entries", {"instruction_id": instruction_id})
    ]
    bank = Section("bank_entries", OF_INSTRUCTION["bank_entries"], bank_rows)
    return Explanation("settlement", identifier, (*sections, bank))


def _of_instruction(connection: psycopg.Connection[Any], identifier: str) -> Explanation | None:
    try:
        instruction_id = UUID(identifier)
    except ValueError:
        return None
    key = _row(
        connection,
        "select instruction_id, fixmedins_code, fund_pay_type, settlement_month, pay_date"
        " from ledger.payment_instruction where instruction_id = %s",
        instruction_id,
    )
    if key is None:
        return None
    return Explanation("instruction", str(instruction_id), tuple(_sections(connection, OF_INSTRUCTION, key)))


def _sections(connection: psycopg.Connection[Any], titles: dict[str, str], key: Row) -> list[Section]:
    return [Section(name, title, _rows(connection, name, key)) for name, title in titles.items()]


def _rows(connection: psycopg.Connection[Any], name: str, key: Row) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("settlement.ledger", f"explain_{name}"), key).fetchall()


def _row(connection: psycopg.Connection[Any], query: str, identifier: str | UUID) -> Row | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, [identifier]).fetchone()


def _refuse(identifier: str) -> Explanation:
    raise SettlementError(
        "not_found",
        f"{identifier!r} is neither an accepted settlement nor a payment instruction",
        "check the id; a refused settlement stands in its batch's rejected.csv (未找到该结算单或拨付指令)",
    )
