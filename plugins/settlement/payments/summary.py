"""What a pay date came to, in one line for people."""

from datetime import date

from psycopg.rows import dict_row

from settlement.statements import statement
from settlement.warehouse import connect


def summarise(*, pay_date: date, area_code: str | None) -> str:
    """Say how much was requested, instructed, rejected, is undecided, or was not sent, and why."""
    with connect("poster") as connection, connection.cursor(row_factory=dict_row) as cursor:
        scope = {"pay_date": pay_date, "area_code": area_code}
        found = cursor.execute(statement("settlement.payments", "summary"), scope).fetchone()
    assert found is not None
    if not found["request_count"]:
        return "nothing to request 无应拨款项"
    text = (
        f"{found['request_count']} requests 请款 {found['requested_amount']:,.2f},"
        f" {found['instruction_count']:,} payments instructed 拨付 {found['instructed_amount']:,.2f} yuan"
    )
    for count, words in (
        (found["undecided_count"], "requests undecided 待审批"),
        (found["rejected_count"], "requests rejected 已退回"),
        (found["no_account_count"], "institutions without account 无账户"),
        (found["account_changed_count"], "institutions whose account changed since the request 请款后账户变更"),
        (found["disputed_count"], "payments disputed since the request 请款后原指令存疑"),
        (found["suspended_count"], "institutions suspended since the request 请款后暂停"),
    ):
        text += f"; {count} {words}" if count else ""
    return text
