"""Give the roles of roles.json exactly the rights that stand there, also where they exist already.

`airflow roles import` leaves a role that exists as it is: a right that was taken out of the file would stay for ever.
An agency that wants other rights makes roles of its own.
"""

import json
from pathlib import Path

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

ROLES = Path(__file__).with_name("roles.json")


@providers_configuration_loaded
def main() -> None:
    """Add what is missing and take away what is too much."""
    wanted: dict[str, set[tuple[str, str]]] = {}
    for right in json.loads(ROLES.read_text(encoding="utf-8")):
        actions = right["action"].split(",")
        wanted.setdefault(right["name"], set()).update((action, right["resource"]) for action in actions)
    with get_application_builder() as appbuilder:
        security = appbuilder.sm
        for name, rights in wanted.items():
            role = security.add_role(name)
            given = {(right.action.name, right.resource.name): right for right in role.permissions}
            for key in given.keys() - rights:
                security.remove_permission_from_role(role, given[key])
            for action, resource in sorted(rights - given.keys()):
                security.add_permission_to_role(role, security.create_permission(action, resource))
            print(f"role {name}: {len(rights)} rights")


if __name__ == "__main__":
    main()
