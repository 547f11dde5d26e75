"""Measure one step in a process of its own: wall time, and CPU and peak memory of client and server.

A step is a function ``module:name`` of plain arguments. It runs in a fresh Python process, so that its memory is its
own; imports and preparation before the clock starts (see ``clock``) are not part of it.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

SAMPLE_SECONDS = 0.05
#: After a step, so that the server has counted the time of the backend that served it.
SETTLE_SECONDS = 0.5
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Cost:
    """What a step took. CPU counts user and system time of every process it started, ended ones included."""

    wall_seconds: float
    client_cpu_seconds: float
    server_cpu_seconds: float
    client_peak_mb: float
    server_peak_mb: float

    @property
    def cpu_seconds(self) -> float:
        """Client and server together."""
        return self.client_cpu_seconds + self.server_cpu_seconds


@dataclass(frozen=True)
class Figure:
    """The cost of one way to do a stage's work: ``limit``, ``project`` or ``peer``.

    ``rows`` is what was worked on; a peer may have been run on fewer rows than the others.
    """

    name: str
    role: str
    rows: int
    repeats: int
    cost: Cost
    outcome: Any = None

    def as_dict(self) -> dict[str, Any]:
        """The figure as it stands in a result file."""
        cost = {name: round(value, 3) for name, value in asdict(self.cost).items()}
        return {
            "name": self.name,
            "role": self.role,
            "rows": self.rows,
            "repeats": self.repeats,
            **cost,
            "cpu_seconds": round(self.cost.cpu_seconds, 3),
            "outcome": self.outcome,
        }


class Clock:
    """Wall time and client CPU between ``start`` and ``stop`` of the step that owns it."""

    def __init__(self) -> None:
        self.wall_seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> "Clock":
        self._wall, self._cpu = time.perf_counter(), _own_cpu()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_seconds = time.perf_counter() - self._wall
        self.cpu_seconds = _own_cpu() - self._cpu


#: The clock of the step that runs in this process. A step with preparation enters it again where its work begins.
clock = Clock()


def measure(
    name: str,
    role: str,
    step: Callable[..., Any],
    arguments: Mapping[str, Any],
    *,
    rows: int,
    server_pid: int,
    repeats: int = 1,
    prepare: Callable[[], Any] | None = None,
) -> Figure:
    """Run the step ``repeats`` times, each after ``prepare``, and give the run of median CPU time.

    :raises RuntimeError: with what the step said, if it fails.
    """
    runs = []
    for _ in range(repeats):
        if prepare is not None:
            prepare()
        runs.append(_run(f"{step.__module__}:{step.__name__}", arguments, server_pid))
    middle = statistics.median_low([cost.cpu_seconds for cost, _ in runs])
    cost, outcome = next(run for run in runs if run[0].cpu_seconds == middle)
    print(
        f"  {role:8} {name}: {cost.wall_seconds:.1f} s, {cost.cpu_seconds:.1f} CPU-s,"
        f" {cost.client_peak_mb:.0f} MB, server {cost.server_peak_mb:.0f} MB"
    )
    return Figure(name, role, rows, repeats, cost, outcome)


def _run(step: str, arguments: Mapping[str, Any], server_pid: int) -> tuple[Cost, Any]:
    server_before = server_cpu(server_pid)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.measure", step, json.dumps(arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    with watch_memory(process.pid, server_pid) as memory:
        output, _ = process.communicate()
    time.sleep(SETTLE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{step} failed with exit code {process.returncode}")
    answer = json.loads(output.splitlines()[-1])
    cost = Cost(
        wall_seconds=answer["wall_seconds"],
        client_cpu_seconds=answer["cpu_seconds"],
        server_cpu_seconds=server_cpu(server_pid) - server_before,
        client_peak_mb=memory["client"] / MEGABYTE,
        server_peak_mb=memory["server"] / MEGABYTE,
    )
    return cost, answer["outcome"]


def server_cpu(postmaster_pid: int) -> float:
    """CPU-seconds that a PostgreSQL server has used: its processes, and those that have ended."""
    postmaster = psutil.Process(postmaster_pid)
    total = sum(postmaster.cpu_times()[:4])
    for child in postmaster.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return float(total)


@contextmanager
def watch_memory(client_pid: int, server_pid: int) -> Iterator[dict[str, int]]:
    """Keep the highest memory of the client's and of the server's processes, in bytes, while the block runs.

    The client's is all that is resident. The server's is what its processes have each for themselves: the cache that
    they share is of a size set beforehand, and would count once for every process.
    """
    memory = {"client": 0, "server": 0}
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(SAMPLE_SECONDS):
            memory["client"] = max(memory["client"], sum(usage.rss for usage in _tree_memory(client_pid)))
            memory["server"] = max(
                memory["server"], sum(usage.rss - usage.shared for usage in _tree_memory(server_pid))
            )

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield memory
    finally:
        finished.set()
        watcher.join()


def _tree_memory(pid: int) -> list[Any]:
    """Memory of a process and of each of its descendants, as psutil gives it."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    usages = []
    for process in processes:
        try:
            usages.append(process.memory_info())
        except psutil.NoSuchProcess:
            continue
    return usages


def _own_cpu() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def machine() -> dict[str, Any]:
    """What the figures were made on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown",
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": sys.version.split()[0],
    }


def _main() -> None:
    """Run one step in this process and print what it took as the last line."""
    module_name, function_name = sys.argv[1].split(":")
    step = getattr(import_module(module_name), function_name)
    from benchmarks.measure import clock as step_clock  # the module's own, not the one of __main__

    with Clock() as whole:
        outcome = step(**json.loads(sys.argv[2]))
    timed = step_clock if step_clock.wall_seconds else whole
    print(json.dumps({"wall_seconds": timed.wall_seconds, "cpu_seconds": timed.cpu_seconds, "outcome": outcome}))


if __name__ == "__main__":
    _main()
