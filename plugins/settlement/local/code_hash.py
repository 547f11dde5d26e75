"""What an installation was started with: a hash over the code and the packages that its processes keep in memory."""

import hashlib

from settlement.local.installation import HOME, Installation

# DAG files are not among them: Airflow reads those again and again.
KEPT_IN_MEMORY = ("plugins", "expectations", "database", "dbt_project", "deploy", "requirements-dev.lock")
SUFFIXES = (".py", ".sql", ".json", ".yml", ".csv", ".lock")
WRITTEN_BY_PROGRAMS = frozenset({"target", "logs", "__pycache__"})


def code_hash() -> str:
    """Hash what lies in the checkout now."""
    digest = hashlib.sha256()
    for name in KEPT_IN_MEMORY:
        top = HOME / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            place = path.relative_to(HOME)
            if path.suffix in SUFFIXES and path.is_file() and WRITTEN_BY_PROGRAMS.isdisjoint(place.parts):
                digest.update(f"{place}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def remember_code(installation: Installation) -> None:
    """Note what the installation is started with."""
    (installation.run / "code").write_text(code_hash())


def runs_other_code(installation: Installation) -> bool:
    """Whether the code has changed since the installation was started."""
    noted = installation.run / "code"
    return not noted.exists() or noted.read_text() != code_hash()
