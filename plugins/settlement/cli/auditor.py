"""Commands that only read the warehouse do so as auditor, on the installation that the environment names."""

import os

from settlement.local import lifecycle
from settlement.local.environment import local_environment

VARIABLE = "SETTLEMENT_AUDITOR_DSN"


def use_auditor() -> None:
    """Make the auditor's address known: SETTLEMENT_AUDITOR_DSN if it is set, else the local installation's."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = local_environment(lifecycle.require_running())[VARIABLE]
