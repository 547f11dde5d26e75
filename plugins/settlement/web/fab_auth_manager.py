"""The auth manager of a server: FAB's, with two distinctions that its rights have no words for.

It is set as ``[core] auth_manager``. The roles that rely on it stand in deploy/roles.json.
"""

from typing import Any, Literal

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.www.security.permissions import RESOURCE_DAG, RESOURCE_DAG_RUN, resource_name


class SettlementFabAuthManager(FabAuthManager):
    """FAB's auth manager, in which a right to one DAG is no right to pause it, and runs have rights of their own."""

    def is_authorized_dag(
        self,
        *,
        method: Any,
        user: Any,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """Answer as FAB does, except for changing a DAG itself: that takes the right to edit every DAG.

        FAB lets an account answer a question, or write a note, only with the right to edit the DAG, which in Airflow
        includes pausing it. An approver may answer and must not switch payments off.
        """
        is_change = method in ("PUT", "DELETE") and access_entity is None
        if is_change and not self._is_authorized(method=method, resource_type=RESOURCE_DAG, user=user):
            return False
        return super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)

    def may_over_status_api(self, *, method: Literal["GET", "POST"], dag_id: str, user: Any) -> bool:
        """Whether the account may read or start runs of the DAG over the status API, whatever it may do in Airflow.

        That is the right to ``DAG Run:<dag>`` by itself: without one to ``DAG:<dag>`` Airflow's own API and pages show
        and start nothing.
        """
        return self._is_authorized(method=method, resource_type=resource_name(dag_id, RESOURCE_DAG_RUN), user=user)
