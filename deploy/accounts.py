"""Make the first accounts of Airflow, or give those that exist the passwords that the environment gives now.

Passwords come from the environment alone: an argument could be read by whoever lists the processes.
"""

import os

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

# account, role, first and last name, where the password stands
ACCOUNTS = (
    ("admin", "Admin", "Admin", "Admin", "AIRFLOW_ADMIN_PASSWORD"),
    ("service", "Service", "Run", "Notes", "SETTLEMENT_AIRFLOW_PASSWORD"),
)


@providers_configuration_loaded
def main() -> None:
    """Bring the accounts up to date; what an administrator changed of their roles stays."""
    with get_application_builder() as builder:
        security = builder.sm
        for account, role, first_name, last_name, variable in ACCOUNTS:
            password = os.environ[variable]
            user = security.find_user(account)
            if user:
                done = security.reset_password(user.id, password)
            else:
                email = f"{account}@localhost"
                done = security.add_user(account, first_name, last_name, email, security.find_role(role), password)
            if not done:
                raise SystemExit(f"the account {account} could not be made or changed (账号创建或改密失败)")
            print(f"account {account}: {'password set' if user else 'made'}")


if __name__ == "__main__":
    main()
