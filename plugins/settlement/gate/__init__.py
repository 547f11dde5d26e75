"""The quality gate (质控): rule suites, their form for arriving rows, and Great Expectations over accepted ones."""

from settlement.gate.compile import context_columns, duckdb_type, is_broken, projection, reasons, warnings
from settlement.gate.suites import Rule, Suite, load_suite, owner, suite_names

__all__ = [
    "Rule",
    "Suite",
    "context_columns",
    "duckdb_type",
    "is_broken",
    "load_suite",
    "owner",
    "projection",
    "reasons",
    "suite_names",
    "warnings",
]
