"""The warehouse: connections by role, migrations, locks and dbt runs."""

from settlement.warehouse.connect import connect, dsn_of
from settlement.warehouse.locks import transaction_lock

__all__ = ["connect", "dsn_of", "transaction_lock"]
