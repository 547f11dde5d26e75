"""Exit 0 when components of Airflow are healthy: `python -m settlement.local.healthcheck scheduler`.

Asks the API server, which knows every component's heartbeat: `airflow jobs check` costs eight CPU-seconds a time. The
component `execution` is what tasks talk to: it makes its routes at its first request, which takes seconds, so that no
task has to wait for them where it was asked here before.
"""

import json
import os
import sys
from typing import Any
from urllib.request import urlopen


def main(components: list[str]) -> int:
    """Components are execution, metadatabase, scheduler, dag_processor, triggerer."""
    url = os.environ.get("SETTLEMENT_AIRFLOW_URL", "http://127.0.0.1:8080")
    health = {}
    if "execution" in components:
        health["execution"] = _read(f"{url}/execution/health")
    health |= _read(f"{url}/api/v2/monitor/health")
    statuses = {component: health[component]["status"] for component in components}
    for component, status in statuses.items():
        print(f"{component}: {status}")
    return 0 if set(statuses.values()) == {"healthy"} else 1


def _read(address: str) -> dict[str, Any]:
    with urlopen(address, timeout=15) as answer:  # noqa: S310 - the address is ours
        return dict(json.load(answer))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
