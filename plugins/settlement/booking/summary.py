"""What a month's booking came to, in one line for people."""

from psycopg.rows import dict_row

from settlement.statements import statement
from settlement.warehouse import connect


def summarise(*, month: str, area_code: str | None) -> str:
    """Say how many cases were booked at what, how many wait for their list, and what a point is worth."""
    scope = {"month": month, "area_code": area_code}
    with connect("auditor") as connection, connection.cursor(row_factory=dict_row) as cursor:
        cases = cursor.execute(statement("settlement.booking", "summary"), scope).fetchone()
        values = cursor.execute(statement("settlement.booking", "point_values"), scope).fetchall()
    assert cases is not None
    if not cases["case_count"]:
        return f"{month}: no inpatient cases 无住院病例"
    text = (
        f"{month}: {cases['case_count']:,} cases 病例, {cases['pooled_count']:,} by points 按点数,"
        f" booked 记账 {cases['booked_amount']:,.2f}, accrued 计提 {cases['accrued_amount']:,.2f} yuan"
    )
    for count, words in (
        (cases["awaiting_list_count"], "wait for their list 待清单"),
        (cases["ungrouped_count"], "without a group 未入组"),
    ):
        text += f"; {count:,} {words}" if count else ""
    for value in values:
        if value["published_point_value"] is not None:
            text += f"; point value 点值 {value['area']} {value['fund_pay_type']} {value['published_point_value']}"
    return text
