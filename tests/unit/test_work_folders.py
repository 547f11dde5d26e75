"""Work folders hold delivered rows in clear: they go with their load, also when it is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from settlement.intake.engine import remove_left_folders, work_folder

LOADS = """
import sys, time
from settlement.intake.engine import work_folder
with work_folder("b1") as folder:
    (folder / "rows.csv").write_text("names")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SETTLEMENT_LOCAL", str(tmp_path))
    return tmp_path / "work"


def test_the_folder_of_a_killed_load_is_removed_by_the_next_and_that_of_a_living_one_is_not(local: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", LOADS], stdout=subprocess.PIPE, text=True, env={**os.environ}) as load:
        assert load.stdout
        left = Path(load.stdout.readline().strip())
        with work_folder("b2"):
            assert (left / "rows.csv").exists()
        load.send_signal(signal.SIGKILL)
    assert (left / "rows.csv").exists()
    with work_folder("b2") as folder:
        assert not left.exists()
        assert list(local.iterdir()) == [folder]


def test_a_folder_goes_with_its_load(local: Path) -> None:
    with work_folder("b1") as folder:
        assert remove_left_folders() == 0
    assert not folder.exists()
    assert remove_left_folders() == 0


def test_what_is_no_work_folder_stays(local: Path) -> None:
    other = local / "other"
    other.mkdir(parents=True)
    (other / "load.lock").touch()
    assert remove_left_folders() == 0
    assert other.exists()
