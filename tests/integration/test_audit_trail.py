"""The audit trail of the status API: what its writer says of itself, and what only the database says."""

import pytest
from psycopg import errors

CALL = "insert into audit.api_call (caller, action, batch_id) values ('hospital', 'deliver_batch', 'B1')"


@pytest.fixture
def loader(warehouse):
    with warehouse.connect("loader") as connection:
        yield connection


def test_a_call_is_on_record_before_its_outcome(warehouse, loader):
    [number] = loader.execute(f"{CALL} returning api_call_id").fetchone()
    loader.execute("insert into audit.api_outcome (api_call_id, http_status, code) values (%s, 202, 'ok')", [number])
    loader.commit()
    with warehouse.connect("auditor") as auditor:
        assert auditor.execute(
            "select api_call.http_status, api_outcome.http_status, finished_at >= called_at"
            " from audit.api_call join audit.api_outcome using (api_call_id)"
        ).fetchall() == [(None, 202, True)]


def test_a_call_ends_once(loader):
    [number] = loader.execute(f"{CALL} returning api_call_id").fetchone()
    outcome = "insert into audit.api_outcome (api_call_id, http_status, code) values (%s, 202, 'ok')"
    loader.execute(outcome, [number])
    with pytest.raises(errors.UniqueViolation):
        loader.execute(outcome, [number])


@pytest.mark.parametrize(
    "statement",
    [
        "insert into audit.api_call (caller, action, called_at) values ('x', 'deliver_batch', '2020-01-01')",
        "insert into audit.api_call (api_call_id, caller, action) overriding system value values (7, 'x', 'y')",
        "insert into audit.api_outcome (api_call_id, http_status, code, finished_at) values (1, 2, 'ok', 'today')",
        "update audit.api_call set caller = 'other'",
        "delete from audit.api_call",
        "update audit.api_outcome set code = 'ok'",
        "truncate audit.api_outcome",
        "select * from audit.api_call",
    ],
)
def test_the_writer_neither_dates_nor_numbers_nor_changes_nor_reads_a_call(loader, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        loader.execute(statement)


@pytest.mark.parametrize("table", ["api_call", "api_outcome"])
def test_even_the_owner_cannot_change_the_trail(warehouse, loader, table):
    [number] = loader.execute(f"{CALL} returning api_call_id").fetchone()
    loader.execute("insert into audit.api_outcome (api_call_id, http_status, code) values (%s, 202, 'ok')", [number])
    loader.commit()
    for statement in (
        f"update audit.{table} set code = 'x'",
        f"delete from audit.{table}",
        f"truncate audit.{table} cascade",
    ):
        with warehouse.admin() as owner, pytest.raises(errors.RestrictViolation, match="append-only"):
            owner.execute(statement)
