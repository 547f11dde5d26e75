"""The quality gate (质控): rule suites, their form for arriving rows, and Great Expectations over accepted ones."""

from settlement.gate.compile import (
    REASON,
    context_columns,
    duckdb_type,
    is_broken,
    projection,
    reason,
    reasons,
    warnings,
)
from settlement.gate.suites import Rule, Suite, load_suite, owner, suite_names
from settlement.gate.texts import text_of

__all__ = [
    "REASON",
    "Rule",
    "Suite",
    "context_columns",
    "duckdb_type",
    "is_broken",
    "load_suite",
    "owner",
    "projection",
    "reason",
    "reasons",
    "suite_names",
    "text_of",
    "warnings",
]
