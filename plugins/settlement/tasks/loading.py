"""Batches are received by a process of their own, which holds nothing but what receiving needs.

What reads foreign files (DuckDB, lxml, pyarrow) may be made to do what a file says. The task that has it done holds
the addresses of every duty, so it lets another process do it, hands over the loader's address and the person key, and
closes its own environment and memory to it. That process confines itself further. See docs/decisions/0033.
"""

import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import settlement
from settlement.confinement import close_to_others
from settlement.contract.limits import MIB, Limits
from settlement.errors import SettlementError

log = logging.getLogger(__name__)

HANDED_OVER = (
    *("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "SSL_CERT_FILE", "TMPDIR", "TZ"),
    *("SETTLEMENT_HOME", "SETTLEMENT_INBOX", "SETTLEMENT_LOCAL", "SETTLEMENT_OUTBOX"),
    *("SETTLEMENT_LOADER_DSN", "SETTLEMENT_PERSON_KEY", "SETTLEMENT_MASTER_DATA_RELEASERS"),
)
HANDED_OVER_BEGINNINGS = ("SETTLEMENT_LIMIT_", "SETTLEMENT_USER_", "AWS_", "FSSPEC_")
"""Limits, who may deliver what, and the object store of an inbox that is no folder."""
ANSWER_BYTES = 16 * MIB
PATIENCE_SECONDS = 20
TRIES = 4
"""The second load that is killed is the last, as a rule: the third gives the refusal ``load_killed_twice``."""
SECONDS_UNTIL_NOTICED = 4
"""Until the warehouse has noticed that its client is gone, which it looks for every two seconds."""


class LoadingProcess:
    """A process that receives one batch after the other; used as a context manager. A new one follows one that died."""

    def __init__(self) -> None:
        """It is started with the first batch."""
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop()

    def receive(self, batch_id: str, **decision: str) -> dict[str, Any]:
        """Receive a batch as :func:`settlement.intake.receive` does, and give its receipt.

        Raises:
            SettlementError: what receiving raises; ``load_killed`` where the process died of it again and again;
                ``load_failed`` for every other error, whose place the log says.
        """
        for attempt in range(1, TRIES + 1):
            answer = self._ask({"batch_id": batch_id, **decision})
            if answer is not None:
                return _receipt(batch_id, answer)
            log.error("the process that loaded %s was killed (装载进程被终止), try %d of %d", batch_id, attempt, TRIES)
            time.sleep(SECONDS_UNTIL_NOTICED)
        raise SettlementError(
            "load_killed",
            f"the process that loaded batch {batch_id} was killed {TRIES} times (装载进程多次被终止)",
            "the system's log says when memory ran out; give the load more, then run it again (请排查内存后重跑)",
        )

    def _ask(self, request: dict[str, str]) -> dict[str, Any] | None:
        """Give the answer to a request, log lines apart; None where the process died of it or took too long."""
        process = self._running()
        end = time.monotonic() + Limits.from_environment().load_seconds
        try:
            cast(IO[bytes], process.stdin).write(json.dumps(request).encode() + b"\n")
            cast(IO[bytes], process.stdin).flush()
            while line := self._line(process, end):
                content: dict[str, Any] = json.loads(line)
                if "log" not in content:
                    return content
                level, name, message = content["log"]
                logging.getLogger(str(name)).log(int(level), "%s", message)
        except TimeoutError:
            log.error("loading takes more than SETTLEMENT_LIMIT_LOAD_SECONDS; it is stopped (装载超时, 已终止)")
        except (BrokenPipeError, ValueError, TypeError) as error:
            log.warning("the loading process answers no more: %s", type(error).__name__)
        process.kill()
        code = process.wait()
        self._process = None
        if code > 0:
            raise SettlementError(
                "load_failed",
                f"the loading process ended by itself with exit code {code} (装载进程异常退出)",
                "the log above says why; it is no fault of a batch (请查看上方日志)",
            )
        return None

    def _line(self, process: subprocess.Popen[bytes], end: float) -> bytes:
        """The next line that the process writes; empty when it has ended."""
        output = cast(IO[bytes], process.stdout).fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([output], [], [], max(end - time.monotonic(), 0))
            if not ready:
                raise TimeoutError
            block = os.read(output, 64 * 1024)
            if not block:
                return b""
            self._unread += block
            if len(self._unread) > ANSWER_BYTES:
                raise ValueError("the answer is too long")
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            close_to_others()
            self._unread = b""
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "settlement.loading_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=handed_over(),
                cwd="/",
                close_fds=True,
            )
        return self._process

    def _stop(self) -> None:
        """End the process as an exception would, and by force where it does not listen."""
        if self._process is None:
            return
        cast(IO[bytes], self._process.stdin).close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def handed_over() -> dict[str, str]:
    """The environment of a loading process: what receiving needs of this one's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in HANDED_OVER or name.startswith(HANDED_OVER_BEGINNINGS)
    }
    package = str(Path(str(settlement.__file__)).parents[1])
    listed = [entry for entry in kept.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(entry)]
    return kept | {"PYTHONPATH": os.pathsep.join(dict.fromkeys([package, *listed])), "PYTHONUNBUFFERED": "1"}


def _receipt(batch_id: str, answer: dict[str, Any]) -> dict[str, Any]:
    if "receipt" in answer:
        return cast(dict[str, Any], answer["receipt"])
    if "error" in answer:
        code, message, hint = answer["error"]
        raise SettlementError(code, message, hint)
    log.error("batch %s could not be loaded:\n%s", batch_id, answer.get("where", ""))
    raise SettlementError(
        "load_failed",
        f"batch {batch_id} could not be loaded: {answer.get('failure', '')} (装载失败)",
        "the log of the task says where; nothing was loaded. Mend it and run it again (请查看任务日志后重跑)",
    )
