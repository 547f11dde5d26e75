"""Great Expectations over what was accepted: the same suites again, by another engine, as an independent check.

The row gate judges rows on arrival in DuckDB; here the suites run in PostgreSQL over every batch accepted since the
last run and over those the last run stopped. A suite is one ``select`` whatever the number of its rules; a rule that
fails is then asked in which batches. Results are kept in ``intake.expectation_run`` and ``intake.expectation_result``.
A critical failure stops its batches (view ``intake.stopped_batch``): no model reads them until a later run finds
nothing critical in them. Reference data decide about everybody, so a reference batch that fails stops the whole run.
The rows come from the views ``intake.judged_<table>`` (database/06_judged_views.sql), which hold what waits and the
context rules ask for.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from settlement.contract.tables import LIST_CHILDREN
from settlement.errors import SettlementError
from settlement.gate.suites import IN_SET, MATCH_REGEX, NOT_NULL, SEVERITIES, Rule, Suite, load_suite
from settlement.warehouse.connect import connect, dsn_of, session_options

ROLE = "loader"
SCHEMA = "intake"

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Failure:
    """A rule that does not hold: how many rows break it, in which batches."""

    table: str
    rule_id: str
    code: str
    severity: str
    unexpected_count: int
    batch_ids: tuple[str, ...]

    @property
    def is_critical(self) -> bool:
        """Whether the batches it is found in are stopped."""
        return self.severity == "critical"


@dataclass(frozen=True)
class Checked:
    """What one run judged, and the rules that do not hold."""

    batch_ids: tuple[str, ...] = ()
    row_count: int = 0
    rule_count: int = 0
    failures: tuple[Failure, ...] = ()
    summary: str = "nothing was accepted since the last check 自上次校验后没有新数据"


@dataclass
class Verdict:
    """Outcome of one suite: rows judged, rules asked, and those that do not hold."""

    suite: Suite
    row_count: int
    rules: list[Rule]
    failed: dict[str, dict[str, int]] = field(default_factory=dict)


def validate_accepted(*, started_by: str) -> Checked:
    """Judge every batch that no run has judged, and those a run has stopped; store the results.

    Great Expectations is imported only when there is something to judge.

    Raises:
        SettlementError: ``expectations_failed`` when a critical rule does not hold in a reference batch, after the
            results are stored.
    """
    with connect(ROLE) as connection:
        up_to_load_id, batch_ids = _batches_to_judge(connection)
        if not batch_ids:
            return Checked()
        suites = [load_suite(table) for table in _tables_to_judge(connection)]
        verdicts = [judge(connection, dsn_of(ROLE), suite) for suite in suites]
        failures = _store(connection, up_to_load_id, batch_ids, verdicts, started_by)
        connection.commit()
        return _conclude(connection, batch_ids, verdicts, failures)


def judge(connection: Connection, dsn: str, suite: Suite, schema: str = SCHEMA) -> Verdict:
    """Ask Great Expectations which rules hold for ``<schema>.judged_<table>``, then the warehouse where not."""
    verdict = Verdict(suite, _count(connection, suite, schema), judged_rules(suite))
    for rule_id in broken_rules(dsn, suite, schema):
        verdict.failed[rule_id] = failing_batches(connection, suite.rule(rule_id), schema)
    return verdict


def judged_rules(suite: Suite) -> list[Rule]:
    """The rules that can be judged on accepted rows."""
    return [rule for rule in suite.rules if not rule.is_arrival_only]


def broken_rules(dsn: str, suite: Suite, schema: str = SCHEMA) -> list[str]:
    """Ids of the rules that do not hold for ``<schema>.judged_<table>``, severity aside.

    Raises:
        SettlementError: ``expectation_not_judged`` when a rule could not be asked.
    """
    import great_expectations as gx

    context, source = _great_expectations(dsn, schema)
    name = f"{suite.name} {len(source.assets)}"
    asset = source.add_table_asset(name, table_name=f"judged_{suite.name}")
    expectations = gx.ExpectationSuite(name=name, expectations=[_expectation(rule) for rule in judged_rules(suite)])
    definition = gx.ValidationDefinition(
        name=name,
        data=asset.add_batch_definition_whole_table("rows to judge"),
        suite=context.suites.add(expectations),
    )
    result = context.validation_definitions.add(definition).run(result_format="BOOLEAN_ONLY")
    broken = []
    for outcome in result.results:
        rule_id = outcome.expectation_config.meta["rule_id"]
        if outcome.exception_info and outcome.exception_info.get("raised_exception"):
            raise SettlementError(
                "expectation_not_judged",
                f"{suite.name}: {rule_id} could not be judged: {outcome.exception_info.get('exception_message')}",
                "mend the condition in expectations/; nothing was stored",
            )
        if not outcome.success:
            broken.append(rule_id)
    return broken


@cache
def _great_expectations(dsn: str, schema: str) -> tuple[Any, Any]:
    """One ephemeral context and data source a schema; nothing is written to disk or sent anywhere."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    import great_expectations as gx
    import sqlalchemy
    from great_expectations.data_context.types.base import ProgressBarsConfig

    import settlement.gate.bundled  # noqa: F401 - registers its expectation

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    address = psycopg.conninfo.conninfo_to_dict(dsn)
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=str(address["user"]),
        password=str(address.get("password", "")) or None,
        host=str(address["host"]),
        port=int(address.get("port") or 5432),
        database=str(address["dbname"]),
        query={
            "options": f"{session_options({})} -c search_path={schema}",
            "application_name": "settlement expectations",
        },
    )
    return context, context.data_sources.add_postgres(
        "warehouse", connection_string=url.render_as_string(hide_password=False)
    )


def _expectation(rule: Rule) -> dict[str, Any]:
    """The rule for the runner: standard types as they are, SQL conditions in the form that shares one query."""
    expectation = rule.as_expectation()
    if rule.condition:
        expectation |= {"type": "expect_no_rows_where", "kwargs": {"condition": rule.condition}}
    return expectation


def broken_condition(rule: Rule) -> str:
    """SQL of PostgreSQL that is true for a row which breaks the rule."""
    if rule.condition:
        return rule.condition
    column = sql.Identifier(rule.field).as_string()
    if rule.type == NOT_NULL:
        return f"{column} is null"
    if rule.type == IN_SET:
        values = ", ".join(sql.Literal(value).as_string() for value in rule.kwargs["value_set"])
        return f"{column} not in ({values})"
    if rule.type == MATCH_REGEX:
        return f"{column} !~ {sql.Literal(rule.kwargs['regex']).as_string()}"
    return "true"  # a column of another type breaks its rule in every row


def _batches_to_judge(connection: Connection) -> tuple[int, list[str]]:
    """The newest load among the batches that wait, and their ids."""
    rows = connection.execute(
        "select batch.load_id, batch.batch_id from intake.batch_to_judge "
        "inner join intake.batch on batch_to_judge.batch_id = batch.batch_id order by batch.batch_id"
    ).fetchall()
    return max((load_id for load_id, _ in rows), default=0), [batch_id for _, batch_id in rows]


def _tables_to_judge(connection: Connection) -> list[str]:
    """Tables that the waiting batches brought rows of; a list in the 4101 form is one file and five tables."""
    rows = connection.execute(
        "select distinct batch_file.table_name from intake.batch_file "
        "inner join intake.batch_to_judge on batch_file.batch_id = batch_to_judge.batch_id "
        "where batch_file.accepted_count > 0"
    ).fetchall()
    tables = {table for (table,) in rows}
    return sorted(tables | set(LIST_CHILDREN) if "settlement_list" in tables else tables)


def _count(connection: Connection, suite: Suite, schema: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(_relation(suite.name, schema))).fetchone()
    return int(row[0]) if row else 0


def failing_batches(connection: Connection, rule: Rule, schema: str) -> dict[str, int]:
    """Rows that break the rule, by batch."""
    query = sql.SQL(
        "select judged_batch_id, count(*) from {} where {} group by judged_batch_id order by judged_batch_id"
    ).format(_relation(rule.table, schema), sql.SQL(broken_condition(rule)))
    return {str(batch_id): int(count) for batch_id, count in connection.execute(query)}


def _relation(table: str, schema: str) -> sql.Identifier:
    return sql.Identifier(schema, f"judged_{table}")


def _store(
    connection: Connection,
    up_to_load_id: int,
    batch_ids: list[str],
    verdicts: list[Verdict],
    started_by: str,
) -> list[Failure]:
    """Write the run and every rule's result; return the rules that do not hold."""
    failures = [_failure(verdict, rule_id) for verdict in verdicts for rule_id in verdict.failed]
    is_success = not any(failure.is_critical for failure in failures)
    row = connection.execute(
        "insert into intake.expectation_run (up_to_load_id, batch_ids, is_success, started_by) "
        "values (%s, %s, %s, %s) returning expectation_run_id",
        [up_to_load_id, batch_ids, is_success, started_by],
    ).fetchone()
    run_id = row[0] if row else None
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into intake.expectation_result (expectation_run_id, table_name, rule_id, reason_code, severity, "
            "is_success, evaluated_count, unexpected_count, failing_batch_ids, observed) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [_result_row(run_id, verdict, rule) for verdict in verdicts for rule in verdict.rules],
        )
    return failures


def _result_row(run_id: int | None, verdict: Verdict, rule: Rule) -> list[Any]:
    found = verdict.failed.get(rule.rule_id, {})
    return [
        run_id,
        verdict.suite.name,
        rule.rule_id,
        rule.code,
        _severity(rule),
        rule.rule_id not in verdict.failed,
        verdict.row_count,
        sum(found.values()),
        list(found),
        Jsonb({"rows_by_batch": found, "hurts": list(rule.hurts)}),
    ]


def _failure(verdict: Verdict, rule_id: str) -> Failure:
    rule, found = verdict.suite.rule(rule_id), verdict.failed[rule_id]
    return Failure(verdict.suite.name, rule_id, rule.code, _severity(rule), sum(found.values()), tuple(found))


def _severity(rule: Rule) -> str:
    return next(name for name, ours in SEVERITIES.items() if ours == rule.severity)


def _conclude(
    connection: Connection, batch_ids: list[str], verdicts: list[Verdict], failures: list[Failure]
) -> Checked:
    """Say what was found, or raise when reference data break a critical rule."""
    rows = sum(verdict.row_count for verdict in verdicts)
    rules = sum(len(verdict.rules) for verdict in verdicts)
    judged = f"{rows:,} rows of {len(batch_ids):,} batches judged by {rules:,} rules"
    critical = [failure for failure in failures if failure.is_critical]
    if _any_is_reference(connection, [batch_id for failure in critical for batch_id in failure.batch_ids]):
        raise SettlementError(
            "expectations_failed",
            f"{judged}; broken: " + "; ".join(map(_describe, critical)),
            "see intake.expectation_result; correct the reference data, then run the check again",
        )
    broken = "; ".join(map(_describe, critical))
    warnings = "; ".join(_describe(failure) for failure in failures if not failure.is_critical)
    found = [f"stopped 叫停: {broken}"] * bool(broken) + [f"warnings: {warnings}"] * bool(warnings)
    return Checked(
        tuple(batch_ids), rows, rules, tuple(failures), f"{judged}: {'; '.join(found) or 'all hold 全部通过'}"
    )


def _any_is_reference(connection: Connection, batch_ids: list[str]) -> bool:
    row = connection.execute(
        "select exists (select from intake.batch where kind = 'reference' and batch_id = any(%s))", [batch_ids]
    ).fetchone()
    return bool(row and row[0])


def _describe(failure: Failure) -> str:
    return f"{failure.table} {failure.rule_id} ({failure.unexpected_count:,} rows of {', '.join(failure.batch_ids)})"
