"""A year of history, cheaply: copies of the one day that a warehouse holds, set by set, over earlier business dates.

Every row of the day is copied with its dates moved back and its keys changed, so that indexes, partitions and block
ranges are what a year of such days leaves behind. The rows of the day stay as they are; the guards are off meanwhile.
"""

from datetime import date

import psycopg
from psycopg import sql

from benchmarks.scene import AREA, BUSINESS_DATE, Scene

#: In the order in which a day writes them.
TABLES = (
    "intake.batch", "raw.settlement", "raw.settlement_key", "raw.fee_item", "raw.settlement_list",
    "raw.settlement_list_diagnosis", "raw.settlement_list_operation", "raw.settlement_list_item",
    "raw.settlement_list_icu", "raw.accepted_day", "intermediate.int_settlements__totalled",
    "intermediate.int_daily_payables", "intermediate.int_findings__deducted", "ledger.posting_run", "ledger.entry",
    "ledger.entry_line", "ledger.accrued_batch_day", "ledger.payment_run", "ledger.payment_request",
    "ledger.payment_request_line", "ledger.payment_decision", "ledger.payment_instruction", "ledger.bank_file",
)  # fmt: skip
DATES = {"business_date", "accounting_date", "pay_date", "found_on", "payable_from"}
TEXT_KEYS = {
    "setl_id", "init_setl_id", "batch_id", "accepted_batch_id", "business_event_id", "source_id", "finding_id", "seal",
    "previous_seal", "message_id",
}  # fmt: skip
UUID_KEYS = {"request_id", "instruction_id", "replaces_instruction_id"}
#: Numbers that order loads and runs: those of an earlier day are smaller.
ORDERED_KEYS = {"load_id", "posting_run_id"}
NUMBERS_A_DAY = 100
FIRST_OPEN_MONTH = BUSINESS_DATE.replace(month=BUSINESS_DATE.month - 1)
CLOSED_MONTHS = """
    insert into ledger.settlement_period (area_code, settlement_month, closed_by)
    select %(area)s, to_char(month, 'YYYY-MM'), 'benchmark'
    from generate_series(%(first)s::date, %(first_open)s::date - interval '1 month', interval '1 month') as month
"""
MONTH_TOTALS = """
    insert into intermediate.int_monthly_fund_totals
        (fixmedins_code, fund_pay_type, business_date, area_code, fund_amount, day_version)
    select
        fixmedins_code, fund_pay_type, date_trunc('month', business_date)::date, area_code, sum(fund_amount), 'closed'
    from intermediate.int_daily_fund_totals
    where business_date < %(first_open)s
    group by fixmedins_code, fund_pay_type, date_trunc('month', business_date)::date, area_code
"""
# A finding that nobody decided on is deducted when its appeal window is over: here after a month.
DEDUCTIONS = f"""
    with deducted as (
        insert into ledger.entry (
            fixmedins_code, business_event_id, event, area_code, fund_pay_type, accounting_date, settlement_month,
            source_id, posting_run_id
        )
        select
            fixmedins_code,
            concat_ws(':', fixmedins_code, 'deducted', rule_code, setl_id, feedetl_sn, fund_pay_type, 1),
            'deducted', area_code, fund_pay_type, business_date + 30, to_char(business_date + 30, 'YYYY-MM'),
            finding_id,
            {NUMBERS_A_DAY} * (business_date + 30 - date '{BUSINESS_DATE}') + 1
        from intermediate.int_findings__deducted
        where business_date < date '{BUSINESS_DATE}' - 30 and amount_at_stake > 0 and severity = 'clear'
        returning fixmedins_code, business_event_id, source_id, fund_pay_type
    )
    insert into ledger.entry_line (fixmedins_code, business_event_id, line_no, account, side, amount)
    select deducted.fixmedins_code, deducted.business_event_id, line_no, account, side, finding.amount_at_stake
    from deducted
    inner join intermediate.int_findings__deducted as finding
        on deducted.source_id = finding.finding_id and deducted.fund_pay_type = finding.fund_pay_type
    cross join (values (1, 'payable_institution', 'debit'), (2, 'benefit_expense', 'credit'))
        as line (line_no, account, side)
"""
TRIAL_BALANCE = """
    insert into marts.rpt_trial_balance (
        area_code, fund_pay_type, accounting_date, account, debit_amount, credit_amount, debit_minus_credit_amount,
        last_posting_run_id
    )
    select
        area_code, fund_pay_type, accounting_date, account,
        coalesce(sum(amount) filter (where side = 'debit'), 0),
        coalesce(sum(amount) filter (where side = 'credit'), 0),
        sum(case side when 'debit' then amount else -amount end),
        max(posting_run_id)
    from ledger.entry
    inner join ledger.entry_line using (fixmedins_code, business_event_id)
    where accounting_date < %(business_date)s
    group by area_code, fund_pay_type, accounting_date, account
"""


def write_history(made: Scene, days: int) -> None:
    """Write `days` copies of the day that the warehouse holds, the oldest first, with all but two months closed."""
    with psycopg.connect(made.admin_dsn) as connection:
        connection.execute("set session_replication_role = replica")
        first = _days_before(connection, days)
        connection.execute("select raw.ensure_partitions(%s, %s)", [first, BUSINESS_DATE])
        copies = [_copy_statement(connection, table) for table in TABLES]
        for day in range(days, 0, -1):
            for copy in copies:
                connection.execute(copy, {"day": day})
        period = {"area": AREA, "first": first.replace(day=1), "first_open": FIRST_OPEN_MONTH}
        connection.execute(CLOSED_MONTHS, period)
        connection.execute(MONTH_TOTALS, period)
        connection.execute(DEDUCTIONS)
        connection.execute(TRIAL_BALANCE, {"business_date": BUSINESS_DATE})
    made.execute("vacuum analyze")


def _days_before(connection: psycopg.Connection, days: int) -> date:
    row = connection.execute("select %s::date - %s", [BUSINESS_DATE, days]).fetchone()
    assert row is not None
    return row[0]


def _copy_statement(connection: psycopg.Connection, table: str) -> sql.Composed:
    """Set the day's rows of a table apart, and give the statement that writes them once more, ``day`` days earlier."""
    schema, name = table.split(".")
    source = sql.Identifier(f"day_of_{name}")
    # Reference data is no part of a day: its one batch stays as it is.
    where = "business_date is not null" if name == "batch" else "true"
    connection.execute(
        sql.SQL("create temp table {} as select * from {} where {}").format(
            source, sql.Identifier(schema, name), sql.SQL(where)
        )
    )
    columns = [
        column
        for (column,) in connection.execute(
            "select column_name from information_schema.columns where table_schema = %s and table_name = %s"
            " and is_generated = 'NEVER' order by ordinal_position",
            [schema, name],
        )
    ]
    return sql.SQL("insert into {} ({}) overriding system value select {} from {}").format(
        sql.Identifier(schema, name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(_earlier, columns)),
        source,
    )


def _earlier(column: str) -> sql.Composable:
    """What a column holds on an earlier day."""
    name = sql.Identifier(column)
    if column in DATES:
        return sql.SQL("{} - %(day)s").format(name)
    if column in TEXT_KEYS:
        return sql.SQL("{} || '_' || %(day)s").format(name)
    if column in UUID_KEYS:
        return sql.SQL("md5({}::text || %(day)s)::uuid").format(name)
    if column in ORDERED_KEYS:
        return sql.SQL("{} - {} * %(day)s").format(name, NUMBERS_A_DAY)
    if column == "settlement_month":
        return sql.SQL("to_char({}::date - %(day)s, 'YYYY-MM')").format(BUSINESS_DATE)
    return name
