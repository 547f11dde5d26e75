"""Great Expectations over what was accepted; the limit is the same rules in one SQL statement.

The row gate has judged these rows in DuckDB already; this is the independent check in the warehouse. Importing Great
Expectations, about ten CPU-seconds once a payment run, is shown apart.
"""

import psycopg

from benchmarks.gate import receive
from benchmarks.measure import Figure, clock, measure
from benchmarks.scene import Scene, deliver_day

JUDGED = "intake.judged_settlement"


def run(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure the suite over one accepted settlement batch of ``rows`` rows."""
    for batch_id in deliver_day(scene, rows).batch_ids:
        receive(batch_id)
    scene.execute("vacuum analyze")
    pid, dsn = scene.server_pid, {"dsn": scene.admin_dsn}
    return [
        measure("one SQL statement", "limit", one_statement, dsn, rows=rows, server_pid=pid, repeats=repeats),
        measure("validate_accepted", "project", validate, {}, rows=rows, server_pid=pid, repeats=repeats,
                prepare=lambda: scene.execute("truncate intake.expectation_run cascade")),
        measure("a statement for each rule", "peer", statement_each, dsn, rows=rows, server_pid=pid),
        measure("importing Great Expectations", "cost", import_only, {}, rows=rows, server_pid=pid),
    ]  # fmt: skip


def conditions() -> list[str]:
    """What breaks each rule that holds for accepted rows, as SQL."""
    from settlement.gate.expectations import broken_condition
    from settlement.gate.suites import load_suite

    return [broken_condition(rule) for rule in load_suite("settlement").rules if not rule.is_arrival_only]


def one_statement(dsn: str) -> int:
    """The limit: every rule counted in one pass."""
    counts = ", ".join(f"count(*) filter (where {condition})" for condition in conditions())
    with psycopg.connect(dsn, options="-c timezone=Asia/Shanghai") as connection, clock:
        connection.execute(f"select {counts} from {JUDGED}".encode())
    return len(conditions())


def statement_each(dsn: str) -> int:
    """The peer: a test a rule, as data tests usually run."""
    with psycopg.connect(dsn, options="-c timezone=Asia/Shanghai") as connection, clock:
        for condition in conditions():
            connection.execute(f"select count(*) from {JUDGED} where {condition}".encode())
    return len(conditions())


def validate() -> dict[str, int]:
    """The project: the suite through Great Expectations, results stored."""
    import settlement.gate.bundled  # noqa: F401 - imports Great Expectations before the clock starts
    from settlement.gate.expectations import validate_accepted

    with clock:
        checked = validate_accepted(started_by="benchmark")
    return {"rows": checked.row_count, "rules": checked.rule_count}


def import_only() -> None:
    """What the import alone takes."""
    with clock:
        import settlement.gate.bundled  # noqa: F401
