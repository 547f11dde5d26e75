"""The database itself refuses what would spoil the books, whoever asks."""

import pytest
from psycopg import errors

ENTRY = """
with run as (
    insert into ledger.posting_run
        (area_code, purpose, entry_count, debit_total_amount, previous_seal, seal, posted_by)
    values ('330100', 'test', 1, 10, 'seal before ' || %(event)s, 'seal after ' || %(event)s, 'tester')
    returning posting_run_id
), entry as (
    insert into ledger.entry
        (fixmedins_code, business_event_id, event, area_code, fund_pay_type, accounting_date, settlement_month,
         source_id, posting_run_id)
    select 'H33010600123', 'H33010600123:accrued:' || %(event)s, 'accrued', '330100', '310100', %(day)s,
        '2026-03', 'B1', posting_run_id
    from run
    returning business_event_id
)
insert into ledger.entry_line (fixmedins_code, business_event_id, line_no, account, side, amount)
select 'H33010600123', business_event_id, line_no, account, side, amount
from entry cross join (values (1, 'benefit_expense', 'debit', %(debit)s), (2, 'payable_institution', 'credit', 10.00))
    as line (line_no, account, side, amount)
"""


def post(connection, event="A", debit=10, day="2026-03-02"):
    connection.execute(ENTRY, {"event": event, "debit": debit, "day": day})


@pytest.fixture
def poster(warehouse):
    with warehouse.connect("poster") as connection:
        yield connection


def test_a_balanced_entry_is_accepted(poster):
    post(poster)
    poster.commit()
    assert poster.execute("select count(*) from ledger.entry_line").fetchone() == (2,)


def test_an_unbalanced_entry_is_refused(poster):
    with pytest.raises(errors.CheckViolation, match=r"debit 10\.01, credit 10"):
        post(poster, debit=10.01)


def test_the_same_event_twice_is_refused(poster):
    post(poster)
    with pytest.raises(errors.UniqueViolation):
        post(poster)


def test_an_entry_without_lines_is_refused(poster):
    with pytest.raises(errors.CheckViolation, match="has no lines"):
        poster.execute(
            "insert into ledger.entry (fixmedins_code, business_event_id, event, area_code, fund_pay_type,"
            " accounting_date, settlement_month, source_id, posting_run_id)"
            " values ('H1', 'H1:x', 'accrued', '330100', '310100', '2026-03-02', '2026-03', 'B', 1)"
        )


@pytest.mark.parametrize("earlier", ["transaction", "statement"])
def test_no_line_can_be_added_to_an_earlier_entry(poster, earlier):
    post(poster)
    if earlier == "transaction":
        poster.commit()
    with pytest.raises(errors.RestrictViolation, match="already in the books"):
        poster.execute(
            "insert into ledger.entry_line values"
            " ('H33010600123', 'H33010600123:accrued:A', 3, 'suspense', 'debit', 1),"
            " ('H33010600123', 'H33010600123:accrued:A', 4, 'suspense', 'credit', 1)"
        )


def test_lines_numbered_from_one_meet_those_that_an_entry_has(poster):
    post(poster)
    with pytest.raises(errors.UniqueViolation, match="entry_line_pkey"):
        poster.execute(
            "insert into ledger.entry_line values"
            " ('H33010600123', 'H33010600123:accrued:A', 1, 'suspense', 'debit', 1),"
            " ('H33010600123', 'H33010600123:accrued:A', 2, 'suspense', 'credit', 1)"
        )


ENTRY_OF_A_RUN = (
    "insert into ledger.entry (fixmedins_code, business_event_id, event, area_code, fund_pay_type, accounting_date,"
    " settlement_month, source_id, posting_run_id) select 'H1', 'H1:' || event, 'accrued', %(area)s, '310100',"
    " '2026-03-02', %(month)s, 'B', (select coalesce(max(posting_run_id), 0) + %(ahead)s from ledger.posting_run)"
    " from unnest(%(events)s::text[]) as event returning business_event_id"
)
LINES = (
    "insert into ledger.entry_line select 'H1', business_event_id, line_no, 'suspense', side, 1 from entry"
    " cross join (values (1, 'debit'), (2, 'credit')) as line (line_no, side) where business_event_id <> 'H1:bare'"
)


def post_to_the_last_run(connection, *events, area="330100", month="2026-03", ahead=0):
    values = {"events": list(events), "area": area, "month": month, "ahead": ahead}
    connection.execute(f"with entry as ({ENTRY_OF_A_RUN}) {LINES}", values)


def test_one_entry_without_lines_among_others_is_refused(poster):
    post(poster)
    with pytest.raises(errors.CheckViolation, match="has no lines"):
        post_to_the_last_run(poster, "whole", "bare")


def test_a_run_takes_no_entries_in_a_second_statement(poster):
    post(poster)
    with pytest.raises(errors.CheckViolation, match="no lines in the statement of its run"):
        post_to_the_last_run(poster, "late")


def test_an_entry_without_a_run_is_refused(poster):
    with pytest.raises(errors.ForeignKeyViolation, match="belongs to no posting run"):
        post_to_the_last_run(poster, "unsealed", ahead=1)


def test_an_entry_in_the_run_of_another_area_is_refused(poster):
    poster.execute(
        "insert into ledger.posting_run (area_code, purpose, entry_count, debit_total_amount, previous_seal, seal,"
        " posted_by) values ('350200', 'test', 1, 1, 'before', 'after', 'tester')"
    )
    with pytest.raises(errors.ForeignKeyViolation, match="area 330100 has no run"):
        post_to_the_last_run(poster, "strange")
    poster.rollback()


def test_an_entry_of_no_month_is_refused(poster):
    with pytest.raises(errors.CheckViolation, match="names no month: 2026-13"):
        post_to_the_last_run(poster, "undated", month="2026-13", ahead=1)


def test_a_line_without_an_entry_is_refused(poster):
    with pytest.raises(errors.ForeignKeyViolation, match="does not exist"):
        poster.execute(
            "insert into ledger.entry_line values"
            " ('H1', 'H1:x', 1, 'suspense', 'debit', 1), ('H1', 'H1:x', 2, 'suspense', 'credit', 1)"
        )


def test_an_entry_in_a_closed_month_is_refused(poster):
    poster.execute(
        "insert into ledger.settlement_period (area_code, settlement_month, closed_by)"
        " values ('330100', '2026-03', 'x')"
    )
    with pytest.raises(errors.CheckViolation, match="closed month"):
        post(poster)
    poster.rollback()


@pytest.mark.parametrize(
    "statement",
    ["update ledger.entry_line set amount = 1", "delete from ledger.entry_line", "truncate ledger.entry_line"],
)
def test_the_poster_has_no_right_to_change_what_is_kept(poster, statement):
    post(poster)
    with pytest.raises(errors.InsufficientPrivilege):
        poster.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["update ledger.{} set {} = {}", "delete from ledger.{}", "truncate ledger.{} cascade"],
)
@pytest.mark.parametrize(("table", "column"), [("entry", "event"), ("entry_line", "account"), ("posting_run", "seal")])
def test_even_the_owner_cannot_change_what_is_kept(warehouse, poster, statement, table, column):
    post(poster)
    poster.commit()
    with warehouse.admin() as owner, pytest.raises(errors.RestrictViolation, match="append-only"):
        owner.execute(statement.format(table, column, column))


def test_the_reader_of_marts_sees_no_ledger_and_no_raw_rows(warehouse):
    with warehouse.connect("bi_reader") as reader:
        for table in ("ledger.entry", "intake.batch"):
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute(f"select from {table}")
            reader.rollback()


def test_the_loader_cannot_write_the_ledger(warehouse):
    with warehouse.connect("loader") as loader, pytest.raises(errors.InsufficientPrivilege):
        loader.execute("insert into ledger.settlement_period values ('330100', '2026-03', 'x')")


def test_roles_are_no_superusers(warehouse):
    assert (
        warehouse.rows(
            "select rolname from pg_roles where rolname in ('loader', 'transformer', 'poster', 'bi_reader', 'auditor')"
            " and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls)"
        )
        == []
    )


def test_a_wrong_password_is_a_clear_error(warehouse, monkeypatch):
    from settlement.errors import SettlementError

    monkeypatch.setenv("SETTLEMENT_POSTER_DSN", "postgresql://poster:wrong@127.0.0.1:1/none")
    with pytest.raises(SettlementError, match="no connection to the warehouse as poster"):
        warehouse.connect("poster")
