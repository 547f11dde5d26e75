"""Whether an installation runs by the code that lies in the checkout."""

from pathlib import Path

import pytest

from settlement.local import code_hash
from settlement.local.installation import Installation


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of five files, of which a running process keeps three in memory."""
    for place in (
        "plugins/a.py",
        "dbt_project/models/b.sql",
        "requirements-dev.lock",
        "dags/c.py",
        "dbt_project/target/d.sql",
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("as it was")
    monkeypatch.setattr(code_hash, "HOME", tmp_path)
    for name in set(code_hash.KEPT_IN_MEMORY) - {"plugins", "dbt_project", "requirements-dev.lock"}:
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def installation(checkout: Path) -> Installation:
    """An installation that was started by this code."""
    installation = Installation(checkout / "local", 1, 2, "", "", "")
    installation.run.mkdir(parents=True)
    code_hash.remember_code(installation)
    return installation


@pytest.mark.parametrize("place", ["plugins/a.py", "dbt_project/models/b.sql", "requirements-dev.lock"])
def test_it_runs_other_code_once_a_file_has_changed(checkout: Path, installation: Installation, place: str) -> None:
    assert not code_hash.runs_other_code(installation)
    (checkout / place).write_text("as it is")
    assert code_hash.runs_other_code(installation)


def test_it_runs_other_code_once_a_file_has_moved(checkout: Path, installation: Installation) -> None:
    (checkout / "plugins/a.py").rename(checkout / "plugins/b.py")
    assert code_hash.runs_other_code(installation)


@pytest.mark.parametrize("place", ["dags/c.py", "dbt_project/target/d.sql"])
def test_what_is_read_again_or_written_by_programs_is_no_code(
    checkout: Path, installation: Installation, place: str
) -> None:
    (checkout / place).write_text("as it is")
    assert not code_hash.runs_other_code(installation)


def test_an_installation_that_noted_nothing_runs_other_code(installation: Installation) -> None:
    (installation.run / "code").unlink()
    assert code_hash.runs_other_code(installation)
