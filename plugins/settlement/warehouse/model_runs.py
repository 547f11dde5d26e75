"""What each stage did, node by node, kept for `marts.rpt_model_runs`."""

from collections.abc import Mapping, Sequence
from typing import Any

from settlement.statements import statement
from settlement.warehouse.connect import connect

MESSAGE_LENGTH = 1_000


def record(stage: str, settings: Mapping[str, str], results: Sequence[Any]) -> None:
    """Append one row per result of a `dbt build`; `settings` give the run's pay date and area where it has them."""
    scope = {
        "stage": stage,
        "pay_date": settings.get("pay_date") or None,
        "area_code": settings.get("area_code") or None,
    }
    rows = [
        {
            **scope,
            "node_name": result.node.name,
            "node_type": str(result.node.resource_type),
            "status": str(result.status),
            "run_seconds": f"{result.execution_time:.3f}",
            "row_count": result.adapter_response.get("rows_affected"),
            "message": (result.message or "")[:MESSAGE_LENGTH] or None,
        }
        for result in results
    ]
    with connect("transformer") as connection, connection.cursor() as cursor:
        cursor.executemany(statement("settlement.warehouse", "insert_model_run"), rows)
