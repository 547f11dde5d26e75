"""Great Expectations over what was accepted: the same suites again, by another engine, as an independent check.

The row gate judges rows on arrival in DuckDB; here the suites run in PostgreSQL over every batch accepted since the
last run and over those the last run stopped. A suite is one ``select`` whatever the number of its rules; a rule that
fails is then asked in which batches. Results are kept in ``intake.expectation_run`` and ``intake.expectation_result``;
a critical failure stops its batches (view ``intake.stopped_batch``) and this run.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from settlement.contract.tables import LIST_CHILDREN
from settlement.errors import SettlementError
from settlement.gate.suites import IN_SET, MATCH_REGEX, NOT_NULL, SEVERITIES, Rule, Suite, load_suite
from settlement.warehouse.connect import connect, dsn_of

ROLE = "loader"
JUDGED_VIEWS = ("settlement", "fee_item", "settlement_list", "declaration")

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


@dataclass(frozen=True)
class Checked:
    """What one run judged. `failures` are empty or warnings only: critical ones are raised."""

    batch_ids: tuple[str, ...] = ()
    row_count: int = 0
    rule_count: int = 0
    failures: tuple[Failure, ...] = ()
    summary: str = "nothing was accepted since the last check 自上次校验后没有新数据"


@dataclass
class _Verdict:
    """Outcome of one suite: rows judged, rules asked, and those that do not hold."""

    suite: Suite
    row_count: int
    rules: list[Rule]
    failed: dict[str, dict[str, int]] = field(default_factory=dict)


def validate_accepted(*, started_by: str) -> Checked:
    """Judge every batch that no run has judged, and those a run has stopped; store the results.

    Great Expectations is imported only when there is something to judge.

    Raises:
        SettlementError: ``expectations_failed`` when a critical rule does not hold, after the results are stored.
    """
    with connect(ROLE) as connection:
        up_to_load_id, batches = _batches_to_judge(connection)
        if not batches:
            return Checked()
        verdicts = judge(connection, dsn_of(ROLE), batches)
        failures = _store(connection, up_to_load_id, batches, verdicts, started_by)
    return _conclude(batches, verdicts, failures)


def judge(connection: Connection, dsn: str, batches: Mapping[str, Iterable[str]]) -> list[_Verdict]:
    """Run the suite of every table that the batches brought. `batches`: batch id → its tables."""
    tables: dict[str, list[str]] = {}
    for batch_id, names in batches.items():
        for name in names:
            tables.setdefault(name, []).append(batch_id)
    verdicts = []
    for table, batch_ids in sorted(tables.items()):
        query = _rows_of(connection, table, batch_ids)
        row_count = _count(connection, query)
        if row_count:
            verdicts.append(_judge_suite(connection, dsn, load_suite(table), query, row_count))
    return verdicts


def _judge_suite(connection: Connection, dsn: str, suite: Suite, query: str, row_count: int) -> _Verdict:
    """Ask Great Expectations which rules hold, then the warehouse where the others do not."""
    rules = [rule for rule in suite.rules if not rule.is_arrival_only]
    verdict = _Verdict(suite, row_count, rules)
    for rule_id in _broken_rules(dsn, suite.name, rules, query):
        verdict.failed[rule_id] = _failing_batches(connection, suite.rule(rule_id), query)
    return verdict


def _broken_rules(dsn: str, name: str, rules: list[Rule], query: str) -> list[str]:
    """Ids of the rules that do not hold over the query's rows, severity aside."""
    import great_expectations as gx

    context, source = _great_expectations(dsn)
    asset = source.add_query_asset(f"{name} {len(source.assets)}", query=query)
    suite = gx.ExpectationSuite(name=asset.name, expectations=[_expectation(rule) for rule in rules])
    definition = gx.ValidationDefinition(
        name=asset.name,
        data=asset.add_batch_definition_whole_table("accepted rows"),
        suite=context.suites.add(suite),
    )
    result = context.validation_definitions.add(definition).run(result_format="BOOLEAN_ONLY")
    broken = []
    for outcome in result.results:
        rule_id = outcome.expectation_config.meta["rule_id"]
        if outcome.exception_info and outcome.exception_info.get("raised_exception"):
            raise SettlementError(
                "expectation_not_judged",
                f"{name}: {rule_id} could not be judged: {outcome.exception_info.get('exception_message')}",
                "mend the condition in expectations/; nothing was stored",
            )
        if not outcome.success:
            broken.append(rule_id)
    return broken


@cache
def _great_expectations(dsn: str) -> tuple[Any, Any]:
    """One ephemeral context and data source a process; nothing is written to disk or sent anywhere."""
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
        query={"options": "-c timezone=Asia/Shanghai", "application_name": "settlement expectations"},
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
    raise ValueError(f"{rule.rule_id} is a rule about {rule.type}, which is not about rows")


def _batches_to_judge(connection: Connection) -> tuple[int, dict[str, list[str]]]:
    """The newest load and, by batch, the tables of what was accepted and is not judged, or was stopped."""
    rows = connection.execute(
        """
        select batch.batch_id, max(batch.load_id), array_agg(distinct batch_file.table_name)
        from intake.batch
        inner join intake.batch_file on batch.batch_id = batch_file.batch_id
        where batch.status = 'accepted'
            and batch.kind <> 'bank_receipt'
            and batch_file.accepted_count > 0
            and (
                batch.batch_id in (select stopped_batch.batch_id from intake.stopped_batch)
                or not exists (
                    select
                    from intake.expectation_run
                    where batch.batch_id = any(expectation_run.batch_ids)
                )
            )
        group by batch.batch_id
        order by batch.batch_id
        """
    ).fetchall()
    up_to_load_id = max((load_id for _, load_id, _ in rows), default=0)
    return up_to_load_id, {batch_id: _with_children(tables) for batch_id, _, tables in rows}


def _with_children(tables: list[str]) -> list[str]:
    """A list in the 4101 form is one file and five tables."""
    return sorted({*tables, *LIST_CHILDREN}) if "settlement_list" in tables else tables


def _rows_of(connection: Connection, table: str, batch_ids: list[str]) -> str:
    """Query of the accepted rows of some batches, with their context where rules need one.

    Settlements name their business dates too, so that only those months are read.
    """
    contract = load_suite(table).table
    relation = f"intake.judged_{table}" if table in JUDGED_VIEWS else contract.relation
    batch_column = "batch_id" if contract.kind == "reference" else "accepted_batch_id"
    batches = sql.SQL(", ").join(map(sql.Literal, batch_ids)).as_string(connection)
    query = f"select *, {batch_column} as judged_batch_id from {relation} where {batch_column} in ({batches})"  # noqa: S608
    if table != "settlement":
        return query
    dates = connection.execute(
        "select distinct business_date from raw.accepted_day where accepted_batch_id = any(%s)", [batch_ids]
    ).fetchall()
    days = ", ".join(f"date '{day}'" for (day,) in sorted(dates))
    return f"{query} and business_date in ({days})" if days else query


def _count(connection: Connection, query: str) -> int:
    row = connection.execute(f"select count(*) from ({query}) as judged").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _failing_batches(connection: Connection, rule: Rule, query: str) -> dict[str, int]:
    """Rows that break the rule, by batch."""
    rows = connection.execute(
        f"select judged_batch_id, count(*) from ({query}) as judged "  # noqa: S608
        f"where {broken_condition(rule)} group by judged_batch_id order by judged_batch_id"
    ).fetchall()
    return {str(batch_id): int(count) for batch_id, count in rows}


def _store(
    connection: Connection,
    up_to_load_id: int,
    batches: Mapping[str, Iterable[str]],
    verdicts: list[_Verdict],
    started_by: str,
) -> list[Failure]:
    """Write the run and every rule's result; return the rules that do not hold."""
    failures = [_failure(verdict, rule_id) for verdict in verdicts for rule_id in verdict.failed]
    is_success = not any(failure.severity == "critical" for failure in failures)
    row = connection.execute(
        "insert into intake.expectation_run (up_to_load_id, batch_ids, is_success, started_by) "
        "values (%s, %s, %s, %s) returning expectation_run_id",
        [up_to_load_id, list(batches), is_success, started_by],
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


def _result_row(run_id: int | None, verdict: _Verdict, rule: Rule) -> list[Any]:
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


def _failure(verdict: _Verdict, rule_id: str) -> Failure:
    rule, found = verdict.suite.rule(rule_id), verdict.failed[rule_id]
    return Failure(verdict.suite.name, rule_id, rule.code, _severity(rule), sum(found.values()), tuple(found))


def _severity(rule: Rule) -> str:
    return next(name for name, ours in SEVERITIES.items() if ours == rule.severity)


def _conclude(batches: Mapping[str, Iterable[str]], verdicts: list[_Verdict], failures: list[Failure]) -> Checked:
    """Say what was found, or raise when something critical was."""
    rows = sum(verdict.row_count for verdict in verdicts)
    rules = sum(len(verdict.rules) for verdict in verdicts)
    judged = f"{rows:,} rows of {len(batches):,} batches judged by {rules:,} rules"
    critical = [failure for failure in failures if failure.severity == "critical"]
    if critical:
        raise SettlementError(
            "expectations_failed",
            f"{judged}; broken: " + "; ".join(map(_describe, critical)),
            "see intake.expectation_result; correct the reference data or the batch, then run the check again",
        )
    found = "; ".join(map(_describe, failures))
    summary = f"{judged}: " + (f"warnings: {found}" if found else "all hold 全部通过")
    return Checked(tuple(batches), rows, rules, tuple(failures), summary)


def _describe(failure: Failure) -> str:
    return f"{failure.table} {failure.rule_id} ({failure.unexpected_count:,} rows of {', '.join(failure.batch_ids)})"
