"""Keeps Airflow's four processes running: `python -m settlement.local.supervisor`.

It needs the environment of `local_environment`. SIGTERM stops the four and then itself.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psutil

from settlement.confinement import close_to_others
from settlement.local.installation import Installation
from settlement.local.processes import KnownProcess, stop, write_pid_file

log = logging.getLogger(__name__)

# Logs are read from the shared disk, so nobody needs the two log servers (and their fixed ports).
COMPONENTS = {
    "api-server": [],
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}
# Everybody waits for the API server, at the start most of all: the others and their tasks yield to it.
FIRST_SERVED = "api-server"
NICENESS_ADDED = 5
NICENESS_MAX = 19
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 60.0
PATIENCE_SECONDS = 30.0
LOG_BYTES_MAX = 20_000_000


@dataclass
class Child:
    """One supervised process and when it may start again."""

    name: str
    command: list[str]
    logs: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    start_after: float = field(default_factory=time.monotonic)

    def ensure_running(self) -> bool:
        """Start the process if it is down and its pause is over; True when it was started."""
        now = time.monotonic()
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return False
            if now - self.started_at > STEADY_SECONDS:
                self.pause = FIRST_PAUSE_SECONDS
            log.warning("%s ended with code %s, starts again in %.0f s", self.name, code, self.pause)
            self.process, self.start_after = None, now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)
        if now < self.start_after:
            return False
        self._start()
        self.started_at = now
        return True

    def _start(self) -> None:
        path = self.logs / f"{self.name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as sink:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if self.name != FIRST_SERVED:
            process = psutil.Process(self.process.pid)
            process.nice(min(process.nice() + NICENESS_ADDED, NICENESS_MAX))
        log.info("%s started as pid %s", self.name, self.process.pid)


def supervise(installation: Installation) -> None:
    """Run until SIGTERM or SIGINT."""
    close_to_others()  # it has every secret in its environment, and hands them on
    pid_file = installation.run / "airflow.json"
    airflow = [sys.executable, "-m", "airflow"]
    children = [Child(name, [*airflow, name, *options], installation.logs) for name, options in COMPONENTS.items()]
    stopping = False

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    while not stopping:
        if any([child.ensure_running() for child in children]):
            write_pid_file(pid_file, {"supervisor": KnownProcess.of(os.getpid()), **_known(children)})
        time.sleep(0.5)
    log.info("stopping")
    living = {name: psutil.Process(known.pid) for name, known in _known(children).items()}
    # After its one child has ended, the triggerer waits for nothing, ten seconds long.
    triggerers = [process for name, process in living.items() if name == "triggerer"]
    stop(list(living.values()), PATIENCE_SECONDS, ended_with_children=triggerers)
    pid_file.unlink(missing_ok=True)


def _known(children: list[Child]) -> dict[str, KnownProcess]:
    """The children that live; one that ends meanwhile is left out."""
    living = {}
    for child in children:
        if child.process is not None and child.process.poll() is None:
            living[child.name] = KnownProcess.of(child.process.pid)
    return living


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    supervise(Installation.current())
