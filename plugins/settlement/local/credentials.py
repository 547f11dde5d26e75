"""Passwords and keys of a local installation, made once and kept in one private file."""

import base64
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from settlement.local.installation import write_private
from settlement.warehouse.connect import ROLES

# Accounts of Airflow's simple auth manager and their roles: viewer reads, user triggers and answers, op configures.
AIRFLOW_ROLES = {
    "admin": "admin",
    "operator": "op",
    "approver": "user",
    "platform": "user",
    "service": "user",
    "viewer": "viewer",
}

# Who may answer which questions: no sender releases its own batch, and no operator approves a payment.
APPROVERS = ("approver", "admin")
RELEASERS = ("operator", "admin")

# Who plays every sender, and the bank too: whoever tries the platform out is alone. On a server duties are divided.
SENDERS = ("admin", "operator", "platform", "service")


@dataclass(frozen=True)
class Credentials:
    """Every secret of the installation."""

    airflow_users: dict[str, str]
    warehouse_roles: dict[str, str]
    metadata_password: str
    jwt_secret: str
    session_key: str
    fernet_key: str
    person_key: str


def load_or_create(path: Path) -> Credentials:
    """Read the secrets; make those that are missing (all of them the first time) and keep them."""
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    credentials = Credentials(
        airflow_users=_passwords(AIRFLOW_ROLES, kept.get("airflow_users", {})),
        warehouse_roles=_passwords(ROLES, kept.get("warehouse_roles", {})),
        metadata_password=kept.get("metadata_password") or _password(),
        jwt_secret=kept.get("jwt_secret") or secrets.token_hex(64),
        session_key=kept.get("session_key") or secrets.token_hex(32),
        fernet_key=kept.get("fernet_key") or base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        person_key=kept.get("person_key") or secrets.token_hex(32),
    )
    if asdict(credentials) != kept:
        write_private(path, json.dumps(asdict(credentials), indent=2))
    return credentials


def _passwords(names: Iterable[str], kept: dict[str, str]) -> dict[str, str]:
    return {name: kept.get(name) or _password() for name in names}


def _password() -> str:
    return secrets.token_urlsafe(18)
