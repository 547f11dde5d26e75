"""Commands that work in the warehouse alone need PostgreSQL, not Airflow: it is started where it does not run."""

import os

from rich.console import Console

from settlement.local import lifecycle
from settlement.local.environment import local_environment
from settlement.warehouse.connect import ROLES

VARIABLES = tuple(f"SETTLEMENT_{role.upper()}_DSN" for role in ROLES)


def use_warehouse() -> None:
    """Make the warehouse's addresses known: those of the environment, else the local installation's."""
    if not all(variable in os.environ for variable in VARIABLES):
        os.environ.update(local_environment(lifecycle.start_warehouse(Console(stderr=True).print)))
