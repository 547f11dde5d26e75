"""What happens when a run misses its deadline."""

import logging
from typing import Any

log = logging.getLogger(__name__)


def deadline_missed(limit: str, context: dict[str, Any] | None = None, **_: Any) -> None:
    """Say in the log which limit a run missed; monitoring reads lines that begin with DEADLINE MISSED."""
    run = (context or {}).get("dag_run") or {}
    log.error("DEADLINE MISSED 超过时限: %s (%s %s)", limit, run.get("dag_id", "?"), run.get("dag_run_id", "?"))
