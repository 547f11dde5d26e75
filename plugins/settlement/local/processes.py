"""Processes known by pid and start time, so that a recycled pid is never taken for one of ours."""

import json
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

CLOCK_TOLERANCE_SECONDS = 2.0  # the kernel's boot time, which start times are counted from, moves when NTP corrects it


@dataclass(frozen=True)
class KnownProcess:
    """A process of ours, as written to a pid file."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> "KnownProcess":
        """The process that has this pid now."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The living process, or None when it has ended, even if its pid belongs to another by now."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_at) < CLOCK_TOLERANCE_SECONDS
        except psutil.NoSuchProcess:
            return None
        return process if same and _lives(process) else None


def write_pid_file(path: Path, processes: dict[str, KnownProcess]) -> None:
    """Write name → process, replacing the file at once."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({name: asdict(process) for name, process in processes.items()}))
    draft.replace(path)


def read_pid_file(path: Path) -> dict[str, psutil.Process]:
    """The processes of the file that still live, by name; a missing or torn file names none."""
    try:
        kept = {name: KnownProcess(**fields) for name, fields in json.loads(path.read_text()).items()}
    except (FileNotFoundError, ValueError, TypeError):
        return {}
    return {name: process for name, known in kept.items() if (process := known.find())}


def stop(
    processes: list[psutil.Process], patience: float, ended_with_children: Collection[psutil.Process] = ()
) -> None:
    """Ask the processes to end, wait up to `patience` seconds, then kill what is left of them and their children.

    Of `ended_with_children` nothing is waited for once their children have ended.
    """
    children = {process: _children(process) for process in processes}
    family = [*processes, *(child for group in children.values() for child in group)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _wait([process for process in processes if process not in ended_with_children], patience)
    _wait([child for process in ended_with_children for child in children[process]], patience)
    for process in filter(_lives, family):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(family, patience=5.0)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _wait(processes: list[psutil.Process], patience: float) -> None:
    """Wait until all have ended; psutil's own wait would count a zombie, which nobody may ever reap, as living."""
    deadline = time.monotonic() + patience
    while any(map(_lives, processes)) and time.monotonic() < deadline:
        time.sleep(0.1)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
