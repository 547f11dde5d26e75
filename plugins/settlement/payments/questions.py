"""What an approver is asked about a request: who is paid how much to which account, and what is new about it.

The words show every line, or of a long request the flagged and the largest ones with where the whole list stands. An
account number stands there whole where something about the payment is new, because a person compares it then; one that
was paid to before shows its ends only. The digest is of every line with its account, so that an approval counts for
exactly the lines that were shown or listed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from settlement.markdown import plain
from settlement.payments.requests import Request, requests_of
from settlement.statements import statement
from settlement.warehouse import connect

PACKAGE = "settlement.payments"
LINES_SHOWN = 60
"""So many lines are shown besides the flagged ones; a page with thousands helps nobody to compare accounts."""
FLAGGED_LINES_SHOWN = 500
DIGITS_AT_EACH_END = 4
"""What is left of a number that nobody has to compare."""
WHOLE_LIST = "marts.fct_payment_request_lines"
FLAGS = {
    "guidance": "guidance period 政策辅导期",
    "account_changed": "account changed since the last payment 收款账户已变更",
    "account_shared": "first payment, to an account of another institution 首次拨付且账户与其他机构相同",
    "replaces_disputed": "paid again, and the first payment may have left 重新拨付且原指令或已付出",
}


@dataclass(frozen=True)
class QuestionLine:
    """One line of a request; the last account is the one that was paid to, or tried, before."""

    fixmedins_code: str
    institution_name: str | None
    settlement_month: str
    amount: Decimal
    flag: str | None
    account_name: str | None
    account_no: str | None
    bank_code: str | None
    replaces_instruction_id: UUID | None
    last_account_name: str | None
    last_account_no: str | None
    last_bank_code: str | None
    last_pay_date: date | None
    failed_by: str | None
    failure_reason_code: str | None
    said_since: str | None
    """The bank's codes since the request, about payments that had failed by then: they may have left after all."""

    @property
    def is_account_changed(self) -> bool:
        """Whether number, bank or name differ from those of the last payment."""
        last = (self.last_account_name, self.last_account_no, self.last_bank_code)
        return self.last_account_no is not None and last != (self.account_name, self.account_no, self.bank_code)

    @property
    def shown_account_no(self) -> str:
        """The account number as far as it has to be compared."""
        if self.account_no is None:
            return ""
        return self.account_no if self.flag or self.news else masked(self.account_no)

    @property
    def news(self) -> list[str]:
        """What is new about this payment, in words."""
        news = []
        if self.account_no is None:
            news.append("no account, nothing will be sent 无账户不拨付")
        elif self.last_account_no is None:
            news.append("first payment to this institution 首次拨付")
        elif self.is_account_changed:
            last = " ".join(plain(part) for part in (self.last_account_name, self.last_account_no, self.last_bank_code))
            news.append(f"account changed 账户变更: on {self.last_pay_date} it was 原账户 {last}")
        if self.failed_by:
            reason = f", reason 原因 {plain(self.failure_reason_code)}" if self.failure_reason_code else ""
            news.append(
                f"paid again, {self.failed_by} by the bank before 原指令被银行{_FAILED[self.failed_by]}{reason}"
            )
        elif self.replaces_instruction_id:
            news.append("paid again, the first payment was not sent 原指令未发出")
        if self.said_since:
            news.append(f"since the request the bank said of it 请款后银行又回报 {plain(self.said_since)}")
        return news


_FAILED = {"rejected": "拒付", "returned": "退汇"}


def subject(request: Request) -> str:
    """Give the headline: where, which fund, how much."""
    return f"Approve payment 审批拨付 {request.area_code} {request.fund_pay_type} {request.total_amount:,.2f}?"


def undecided_request(
    request_id: UUID | str, *, pay_date: date, area_code: str | None
) -> tuple[Request, list[QuestionLine]] | None:
    """Give a request with its lines; None once it is decided, or where it is none of this pay date and area."""
    with connect("poster") as connection:
        found = requests_of(connection, area_code=area_code, pay_date=pay_date)
        asked = (request for request in found if str(request.request_id) == str(request_id) and request.needs_a_person)
        request = next(asked, None)
        return (request, _lines(connection, request_id)) if request else None


def _lines(connection: psycopg.Connection[Any], request_id: UUID | str) -> list[QuestionLine]:
    with connection.cursor(row_factory=class_row(QuestionLine)) as cursor:
        return cursor.execute(statement(PACKAGE, "question_lines"), {"request_id": request_id}).fetchall()


def digest(request: Request, lines: Sequence[QuestionLine]) -> str:
    """Give the SHA-256 of what an approval lets out, and of what the bank said since about a payment it replaces."""
    text = hashlib.sha256(
        f"{request.request_id}|{request.area_code}|{request.fund_pay_type}|{request.pay_date}|{request.purpose}".encode()
    )
    for line in sorted(lines, key=lambda line: (line.fixmedins_code, line.settlement_month)):
        parts = (line.fixmedins_code, line.settlement_month, line.amount, line.account_name, line.account_no)
        text.update(
            repr([*map(str, parts), str(line.bank_code), str(line.replaces_instruction_id), line.said_since]).encode()
        )
    return text.hexdigest()


def masked(account_no: str) -> str:
    """Give the ends of an account number; of a short one, the last digits alone."""
    end = account_no[-DIGITS_AT_EACH_END:]
    return f"{account_no[:DIGITS_AT_EACH_END]}…{end}" if len(account_no) > 3 * DIGITS_AT_EACH_END else f"…{end}"


def describe(request: Request, lines: Sequence[QuestionLine]) -> str:
    """Say in Markdown what is asked for, why a rule could not approve it, and who is paid to which account."""
    shown = _shown(lines)
    parts = [
        f"Area 统筹区 {request.area_code}, fund 基金 {request.fund_pay_type}, pay date 拨付日 {request.pay_date}",
        f"Total 合计 **{request.total_amount:,.2f}** yuan, {request.line_count} lines 笔",
        f"Cash plan of the month 本月用款计划 {request.plan_amount:,.2f},"
        f" used before 已用 {request.plan_used_before_amount:,.2f}",
        f"Reserve 备用金 {request.reserve_amount:,.2f},"
        f" drawn by this request 本次动用 {request.reserve_used_amount:,.2f}",
        f"A rule approves up to 规则审批限额 {request.approval_threshold_amount:,.2f}",
        f"Why a person is asked 需人工审批的原因: {'; '.join(_reasons(request, lines))}",
        *(f"- {words}" for words in _totals_by_flag(lines)),
        _table(shown),
    ]
    if len(shown) < len(lines):
        parts.append(
            f"{len(shown)} of {len(lines)} lines are shown. All of them 全部明细: `{WHOLE_LIST}`,"
            f" request_id `{request.request_id}`"
        )
    return "\n\n".join(parts)


def _reasons(request: Request, lines: Sequence[QuestionLine]) -> list[str]:
    reasons = []
    if request.total_amount > request.approval_threshold_amount:
        reasons.append(f"above the threshold 超过审批限额 {request.approval_threshold_amount:,.2f}")
    if request.is_over_plan:
        reasons.append("beyond plan and reserve 超用款计划及备用金")
    if any(line.flag for line in lines):
        reasons.append("flagged lines 有标记的明细")
    return reasons


def _totals_by_flag(lines: Sequence[QuestionLine]) -> list[str]:
    flags = sorted({flag for line in lines for flag in _flags(line)})
    return [
        f"{FLAGS.get(flag, plain(flag))}: {len(amounts)} lines 笔, {sum(amounts):,.2f} yuan"
        for flag in flags
        if (amounts := [line.amount for line in lines if flag in _flags(line)])
    ]


def _flags(line: QuestionLine) -> list[str]:
    return line.flag.split(",") if line.flag else []


def _shown(lines: Sequence[QuestionLine]) -> list[QuestionLine]:
    """Give the lines to show: flagged ones come first in `lines`, then the largest."""
    flagged = sum(1 for line in lines if line.flag)
    return list(lines[: min(flagged, FLAGGED_LINES_SHOWN) + LINES_SHOWN])


def _table(lines: Sequence[QuestionLine]) -> str:
    head = (
        "| institution 机构 | account name 户名 | account number 账号 | bank 联行号 | month 结算月 | amount 金额 |"
        " flag 标记 | new 变化 |\n|---|---|---|---|---|--:|---|---|"
    )
    return "\n".join([head, *(_row(line) for line in lines)])


def _row(line: QuestionLine) -> str:
    cells = [
        f"{plain(line.fixmedins_code)} {plain(line.institution_name or '')}",
        *(plain(part or "") for part in (line.account_name, line.shown_account_no, line.bank_code)),
        plain(line.settlement_month),
        f"{line.amount:,.2f}",
        plain(", ".join(_flags(line))),
        "; ".join(line.news),
    ]
    return f"| {' | '.join(cells)} |"
