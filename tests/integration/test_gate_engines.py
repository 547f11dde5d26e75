"""The same suites in two engines: what DuckDB finds on arrival, Great Expectations finds in PostgreSQL."""

from collections.abc import Iterator

import duckdb
import psycopg
import pytest
from tests.conftest import Warehouse
from tests.fixtures.gate import GOOD, Values, cases

from settlement.errors import SettlementError
from settlement.gate import Suite, context_columns, load_suite, projection, reasons, suite_names, warnings
from settlement.gate import expectations as runner
from settlement.gate.stopped import anything_unseen, stopped_batches
from settlement.gate.suites import IN_SET, MATCH_REGEX

SUITES = [name for name in suite_names() if name in GOOD]
GOOD_ROW = "good row"


def _columns(suite: Suite) -> dict[str, str]:
    """Name and PostgreSQL type of the columns of a judged view, times as the views give them."""
    own = {column.name: column.postgres_type for column in suite.table.columns if not column.is_dropped}
    return {**own, **context_columns(suite)}


def _fill(connection: psycopg.Connection, schema: str, suite: Suite, rows: dict[str, Values]) -> None:
    """Create ``<schema>.judged_<table>`` with one row per case; the case stands in place of the batch."""
    columns = {name: type_.replace("timestamp with time zone", "timestamp") for name, type_ in _columns(suite).items()}
    declared = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
    connection.execute(f"create schema if not exists {schema}")
    connection.execute(f"create table {schema}.judged_{suite.name} (judged_batch_id text, {declared})")
    defaults = {column.name: column.default for column in suite.table.columns if column.default}
    values = ", ".join(["%s", *(f"%s::text::{type_}" for type_ in columns.values())])
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into {schema}.judged_{suite.name} values ({values})",
            [[case, *(row.get(name) or defaults.get(name) for name in columns)] for case, row in rows.items()],
        )


def _found_on_arrival(suite: Suite, rows: dict[str, Values]) -> dict[str, set[tuple[str, str]]]:
    """Per case the (code, field) of every rule that the row gate finds broken."""
    connection = duckdb.connect()
    text = [column.name for column in suite.table.columns]
    declared = [*(f'"{name}" VARCHAR' for name in text), *(f"{n} {kind}" for n, kind in context_columns(suite).items())]
    connection.execute(f"create table delivered (case_name VARCHAR, {', '.join(declared)})")
    names = [*text, *context_columns(suite)]
    connection.executemany(
        f"insert into delivered values ({', '.join('?' * (len(names) + 1))})",
        [[case, *(row.get(name) for name in names)] for case, row in rows.items()],
    )
    warned = ", ".join(f"case when {test} then '{rule.code} {rule.field}' end" for rule, test in warnings(suite))
    items = ", ".join(["case_name", *projection(suite), *context_columns(suite)])
    judged = connection.execute(
        f"with judged as (select {items} from delivered) "
        f"select case_name, {reasons(suite)}, [{warned}]::VARCHAR[] from judged"
    )
    return {
        case: {(reason["code"], reason["field"]) for reason in rejected}
        | {tuple(pair.split()) for pair in warned if pair}
        for case, rejected, warned in judged.fetchall()
    }


@pytest.fixture(scope="module")
def scratch(postgres, tmp_path_factory) -> Iterator[tuple[str, psycopg.Connection]]:
    """A database of judged tables: schema `broken` with a row for every rule, schema `good` with a good row."""
    postgres.ensure_database("gate_engines")
    dsn = postgres.admin_dsn("gate_engines")
    with psycopg.connect(dsn) as connection:
        for name in SUITES:
            suite = load_suite(name)
            _fill(connection, "broken", suite, {GOOD_ROW: GOOD[name], **_accepted_cases(suite)})
            _fill(connection, "good", suite, {GOOD_ROW: GOOD[name]})
        connection.commit()
        yield dsn, connection


def _accepted_cases(suite: Suite) -> dict[str, Values]:
    """The cases of rules that are judged on accepted rows too."""
    return {rule_id: row for rule_id, row in cases(suite).items() if not suite.rule(rule_id).is_arrival_only}


@pytest.mark.parametrize("name", SUITES)
def test_great_expectations_finds_every_rule_broken_and_none_by_good_rows(name: str, scratch) -> None:
    dsn, _ = scratch
    suite = load_suite(name)
    assert set(runner.broken_rules(dsn, suite, "broken")) == {rule.rule_id for rule in runner.judged_rules(suite)}
    assert runner.broken_rules(dsn, suite, "good") == []


@pytest.mark.parametrize("name", SUITES)
def test_both_engines_name_the_same_rows(name: str, scratch) -> None:
    _, connection = scratch
    suite = load_suite(name)
    rows = {GOOD_ROW: GOOD[name], **_accepted_cases(suite)}
    arrived = _found_on_arrival(suite, rows)
    accepted: dict[str, set[tuple[str, str]]] = {case: set() for case in rows}
    for rule in runner.judged_rules(suite):
        for case in runner.failing_batches(connection, rule, "broken"):
            accepted[case].add((rule.code, rule.field))
    for case in rows:
        if case != GOOD_ROW and suite.rule(case).type in (IN_SET, MATCH_REGEX) and suite.rule(case).is_reject:
            # On arrival the value is unknown and nothing else is judged on it; here the other rules see it.
            assert arrived[case] <= accepted[case], case
        else:
            assert arrived[case] == accepted[case], case


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_is_one_that_great_expectations_loads(name: str) -> None:
    import great_expectations as gx

    rules = load_suite(name).rules
    suite = gx.ExpectationSuite(name=name, expectations=[rule.as_expectation() for rule in rules])
    assert [expectation.meta["rule_id"] for expectation in suite.expectations] == [rule.rule_id for rule in rules]
    assert {expectation.severity.value for expectation in suite.expectations} <= {"critical", "warning"}


def test_nothing_accepted_costs_nothing(warehouse: Warehouse) -> None:
    assert runner.validate_accepted(started_by="test").batch_ids == ()
    assert warehouse.rows("select * from intake.expectation_run") == []


def _accept_review(warehouse: Warehouse, batch_id: str, stage: str, kind: str = "review") -> None:
    """Put one accepted review batch into the warehouse, whatever its rows say."""
    with warehouse.admin() as connection:
        connection.execute(
            "insert into intake.batch "
            "(batch_id, kind, area_code, created_at, manifest, content_sha256, status, receipt) "
            "values (%s, %s, '330100', now(), '{}', 'x', 'accepted', '{}')",
            [batch_id, kind],
        )
        connection.execute(
            "insert into intake.batch_file (batch_id, file_no, file_name, table_name, sha256, read_count, "
            "accepted_count, quarantined_count, repeated_count, pending_count) "
            "values (%s, 1, 'f', 'review', 'x', 1, 1, 0, 0, 0)",
            [batch_id],
        )
        connection.execute(
            "insert into raw.review_decision (finding_id, decision, decided_by, decided_at, stage, area_code, "
            "batch_id, accepted_batch_id, file_no, line_no, row_hash) "
            "values (%s, 'confirm', 'r', now(), %s, '330100', %s, %s, 1, 1, gen_random_uuid())",
            [batch_id, stage, batch_id, batch_id],
        )


def test_a_critical_failure_is_kept_and_stops_its_batch_alone(warehouse: Warehouse) -> None:
    _accept_review(warehouse, "good", "first")
    assert "all hold" in runner.validate_accepted(started_by="test").summary
    _accept_review(warehouse, "bad", "third")
    _accept_review(warehouse, "also-good", "second")
    assert anything_unseen()
    checked = runner.validate_accepted(started_by="test")
    assert "stopped 叫停: review R_DICT:stage (1 rows of bad)" in checked.summary
    assert not anything_unseen()
    assert warehouse.rows("select batch_id from intake.stopped_batch") == [("bad",)]
    assert warehouse.rows(
        "select rule_id, severity, evaluated_count, unexpected_count, failing_batch_ids "
        "from intake.expectation_result where not is_success"
    ) == [("R_DICT:stage", "critical", 2, 1, ["bad"])]
    assert warehouse.rows("select batch_id from intake.batch_to_judge") == [("bad",)]
    assert stopped_batches("330100") == {"bad": "review R_DICT:stage"}
    assert stopped_batches("350200") == {}


def test_a_critical_failure_of_reference_data_stops_the_run(warehouse: Warehouse) -> None:
    _accept_review(warehouse, "bad", "third", kind="reference")
    with pytest.raises(SettlementError, match=r"R_DICT:stage \(1 rows of bad\)") as raised:
        runner.validate_accepted(started_by="test")
    assert raised.value.code == "expectations_failed"
    assert anything_unseen() is False


def test_a_judged_view_of_every_table_can_be_read_by_the_loader(warehouse: Warehouse) -> None:
    with warehouse.connect("loader") as connection:
        for name in suite_names():
            if name != "bank_receipt":
                suite = load_suite(name)
                cursor = connection.execute(f"select * from intake.judged_{name}")
                seen = {column.name for column in cursor.description or ()}
                used = {column for rule in runner.judged_rules(suite) for column in rule.columns}
                assert used | {"judged_batch_id"} <= seen, name
