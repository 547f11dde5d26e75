"""The environment variables that make a process part of the local installation."""

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from settlement.contract.manifest import KINDS
from settlement.local.credentials import AIRFLOW_ROLES, APPROVERS, RELEASERS, SENDERS, Credentials, load_or_create
from settlement.local.installation import HOME, Installation

WAREHOUSE = "settlement"
METADATA = "airflow"


def local_environment(installation: Installation | None = None) -> dict[str, str]:
    """Everything Airflow's processes, tasks, dbt and the command line need; merge it over `os.environ`.

    Nothing is left to fall into the user's home: HOME itself and the XDG folders point into the installation.
    """
    installation = installation or Installation.current()
    credentials = load_or_create(installation.local / "secrets.json")
    return {
        **_settlement(installation, credentials),
        **_airflow(installation, credentials),
        **_quiet(),
        **_home(installation),
    }


def role_dsn(installation: Installation, role: str, password: str) -> str:
    """The libpq URL of a role on the warehouse."""
    if not installation.database_url:
        return f"postgresql://{role}:{password}@127.0.0.1:{installation.port_postgres}/{WAREHOUSE}"
    server = {key: str(value) for key, value in conninfo_to_dict(installation.database_url).items()}
    database = server.pop("dbname", WAREHOUSE)
    options = urlencode({key: value for key, value in server.items() if key not in ("user", "password")})
    return f"postgresql://{role}:{quote(password)}@/{database}?{options}"


def _settlement(installation: Installation, credentials: Credentials) -> dict[str, str]:
    roles = {
        f"SETTLEMENT_{role.upper()}_DSN": role_dsn(installation, role, password)
        for role, password in credentials.warehouse_roles.items()
    }
    return {
        **roles,
        "SETTLEMENT_HOME": str(HOME),
        "SETTLEMENT_LOCAL": str(installation.local),
        "SETTLEMENT_INBOX": installation.inbox,
        "SETTLEMENT_OUTBOX": installation.outbox,
        "SETTLEMENT_PERSON_KEY": credentials.person_key,
        "SETTLEMENT_APPROVERS": ",".join(APPROVERS),
        "SETTLEMENT_RELEASERS": ",".join(RELEASERS),
        "SETTLEMENT_USER_KINDS": os.environ.get("SETTLEMENT_USER_KINDS")
        or json.dumps({account: list(KINDS) for account in SENDERS}),
        "SETTLEMENT_UNDIVIDED_ACCOUNTS": os.environ.get("SETTLEMENT_UNDIVIDED_ACCOUNTS", ",".join(SENDERS)),
        "SETTLEMENT_SCHEDULES": os.environ.get("SETTLEMENT_SCHEDULES", "off"),
        "SETTLEMENT_AIRFLOW_URL": installation.airflow_url,
        "SETTLEMENT_AIRFLOW_USER": "service",
        "SETTLEMENT_AIRFLOW_PASSWORD": credentials.airflow_users["service"],
    }


def _airflow(installation: Installation, credentials: Credentials) -> dict[str, str]:
    metadata = f"{METADATA}:{credentials.metadata_password}@127.0.0.1:{installation.port_postgres}/{METADATA}"
    settings = {
        "core__executor": "settlement.tasks.warm_executor.WarmLocalExecutor",
        "core__parallelism": "4",
        "core__dags_folder": str(HOME / "dags"),
        "core__plugins_folder": str(HOME / "plugins"),
        "core__load_examples": "False",
        "core__dags_are_paused_at_creation": "False",
        "core__default_timezone": "Asia/Shanghai",
        "core__fernet_key": credentials.fernet_key,
        "core__execution_api_server_url": f"{installation.airflow_url}/execution/",
        "core__auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "core__simple_auth_manager_users": ",".join(f"{user}:{role}" for user, role in AIRFLOW_ROLES.items()),
        "core__simple_auth_manager_passwords_file": str(installation.airflow_home / "passwords.json"),
        "database__sql_alchemy_conn": f"postgresql+psycopg2://{metadata}",
        "api__host": "127.0.0.1",
        "api__port": str(installation.port_airflow),
        "api__base_url": installation.airflow_url,
        "api__workers": "1",
        "api__secret_key": credentials.session_key,
        "api_auth__jwt_secret": credentials.jwt_secret,
        "dag_processor__refresh_interval": "30",
        "dag_processor__min_file_process_interval": "120",
        "scheduler__scheduler_idle_sleep_time": "0.25",
        "logging__base_log_folder": str(installation.logs / "tasks"),
        "logging__dag_processor_child_process_log_directory": str(installation.logs / "dags"),
        "logging__namespace_levels": "great_expectations=WARNING",
        "usage_data_collection__enabled": "False",
    }
    variables = {f"AIRFLOW__{name.upper()}": value for name, value in settings.items()}
    return {"AIRFLOW_HOME": str(installation.airflow_home), **variables}


def _quiet() -> dict[str, str]:
    """No tool reports its use to anybody."""
    return {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }


def _home(installation: Installation) -> dict[str, str]:
    home = installation.local / "home"
    modules = _in_front(HOME / "plugins", os.environ.get("PYTHONPATH", ""))
    programs = _in_front(Path(sys.executable).parent, os.environ.get("PATH", ""))
    return {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "PYTHONPATH": modules,
        "PATH": programs,
    }


def _in_front(first: Path, rest: str) -> str:
    others = [entry for entry in rest.split(os.pathsep) if entry and entry != str(first)]
    return os.pathsep.join([str(first), *others])
