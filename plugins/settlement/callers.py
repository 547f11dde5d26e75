"""In whose name a run was started: that of the account that triggered it, or of the caller it was started for.

Senders start runs through the status API. It checks their rights and lets the service account start the run, with the
caller's name in the run's conf. Airflow's own API takes any conf from whoever may start runs, so the name counts only
where the service account triggered the run. Conf and account of a run never change once it exists.
"""

import os
from collections.abc import Mapping
from typing import Any

ON_BEHALF_OF = "on_behalf_of"
SCHEDULER = "scheduler"


def started_by(account: str | None, conf: Mapping[str, Any] | None) -> str:
    """Give the name that rights and four eyes are judged by; a run of the schedule belongs to `scheduler`.

    Args:
        account: Who triggered the run, as Airflow recorded it; None for a scheduled run.
        conf: The run's conf.
    """
    caller = (conf or {}).get(ON_BEHALF_OF)
    if is_service(account) and isinstance(caller, str) and caller:
        return caller
    return account or SCHEDULER


def is_service(account: str | None) -> bool:
    """Whether this is the account that the status API starts runs with (``SETTLEMENT_AIRFLOW_USER``)."""
    return bool(account) and account == os.environ.get("SETTLEMENT_AIRFLOW_USER")
