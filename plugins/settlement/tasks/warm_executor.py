"""Airflow's LocalExecutor, whose workers are forked with what tasks import.

A task process is forked from a worker, and a worker from the scheduler. What the scheduler has imported before, tasks
find in their memory, shared between all of them: importing dbt takes three CPU-seconds, Great Expectations five, and a
pay date would do the former three times.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

IMPORTED_BY_TASKS = (
    "settlement.intake",
    "settlement.gate.bundled",  # Great Expectations
    "dbt.cli.main",
    "dbt.adapters.postgres",
)


class WarmLocalExecutor(LocalExecutor):
    """LocalExecutor that imports first and forks its workers then."""

    def start(self) -> None:
        """Import what tasks import, and fork the workers. It takes ten seconds, while the API server starts."""
        for module in IMPORTED_BY_TASKS:
            import_module(module)
        super().start()
