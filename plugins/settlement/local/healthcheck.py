"""Exit 0 when a component of Airflow is healthy: `python -m settlement.local.healthcheck scheduler`.

Asks the API server, which knows every component's heartbeat: `airflow jobs check` costs eight CPU-seconds a time.
"""

import json
import os
import sys
from urllib.request import urlopen


def main(component: str) -> int:
    """Component is metadatabase, scheduler, dag_processor or triggerer."""
    url = os.environ.get("SETTLEMENT_AIRFLOW_URL", "http://127.0.0.1:8080")
    with urlopen(f"{url}/api/v2/monitor/health", timeout=15) as answer:  # noqa: S310 - the address is ours
        status = json.load(answer)[component]["status"]
    print(f"{component}: {status}")
    return 0 if status == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
