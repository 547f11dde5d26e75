"""Compare what is locked, and what is installed beside it, with the known advisories of advisories.json. No network.

python deploy/check_advisories.py requirements.lock requirements-dev.lock
"""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

KNOWN = Path(__file__).with_name("advisories.json")


def locked(lock: Path) -> Iterator[tuple[str, Version]]:
    """Give name and version of every package of a lock; a package may stand there once for each Python version."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if "==" not in line or line[0] in " #":
            continue
        requirement = Requirement(line.removesuffix("\\").strip())
        [pinned] = requirement.specifier
        yield canonicalize_name(requirement.name), Version(pinned.version)


def installed() -> Iterator[tuple[str, Version]]:
    """Give name and version of every package beside this interpreter, so also of what no lock brought."""
    for distribution in distributions():
        yield canonicalize_name(distribution.metadata["Name"]), Version(distribution.version)


def found(packages: Iterator[tuple[str, Version]], advisories: list[dict[str, Any]]) -> Iterator[str]:
    """Say of every package that an advisory affects which one, from which version on it is mended, and why."""
    for name, version in packages:
        for advisory in advisories:
            if name == advisory["package"] and version in SpecifierSet(advisory["affected"], prereleases=True):
                yield f"{name} {version}: {advisory['id']} ({advisory['affected']}): {advisory['summary']}"


def main(locks: list[str]) -> int:
    """Print what is affected; 1 if anything is."""
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    places = {**{lock: locked(Path(lock)) for lock in locks}, "installed": installed()}
    affected = [
        f"{place}: {line}" for place, packages in places.items() for line in found(packages, known["advisories"])
    ]
    print("\n".join(affected) or f"no known advisory affects it ({len(known['advisories'])} of {known['reviewed_on']})")
    if affected:
        print("What is locked: raise it in pyproject.toml, then make lock (升级后重新锁定)")
        print("What is only installed: make setup (重建环境)")
    return bool(affected)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
