"""`python -m settlement.loading_process`: receives batches for another process, and reaches only what that needs.

It reads requests as JSON from its input, a line each, and writes answers and log lines as JSON to the output it was
started with. See docs/decisions/0033.
"""

import json
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from psycopg import conninfo

from settlement.confinement import close_to_others, confine, die_with_parent
from settlement.errors import SettlementError
from settlement.work_place import work_parent

HOME_FOLDERS = ("plugins", "expectations")
SYSTEM_FOLDERS = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sys", "/usr")


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    logging.basicConfig(level=logging.INFO, handlers=[_Handler(answers)])
    close_to_others()
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGTERM, _end)
    _confine()
    sys.meta_path.insert(0, _WithoutPandas)
    from settlement.intake import receive  # its libraries start threads, which would not be confined

    for line in sys.stdin:
        _tell(answers, _answer(receive, json.loads(line)))


class _WithoutPandas:
    """pyarrow imports pandas where it is installed, for data frames that nobody makes here: a third of the start."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Find every module but that one where the others look for it."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _answer(receive: Any, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"receipt": receive(request.pop("batch_id"), **request).as_json()}
    except SettlementError as error:
        return {"error": [error.code, error.message, error.hint]}
    except Exception as error:  # told to who asked, as a failure of this batch
        where = "".join(traceback.format_tb(error.__traceback__))
        return {"failure": f"{type(error).__name__}: {error}", "where": where}


def _confine() -> None:
    """Allow the code, the inbox, the work folder, the outbox and the warehouse; nothing else of the installation."""
    home = Path(os.environ.get("SETTLEMENT_HOME") or Path(__file__).parents[2])
    folders = {name: _local(os.environ[f"SETTLEMENT_{name}"]) for name in ("INBOX", "OUTBOX")}
    code = [Path(entry) for entry in [*sys.path, sys.prefix, sys.base_prefix, sys.executable] if entry]
    code += [home / name for name in HOME_FOLDERS]
    readable = [*map(Path, SYSTEM_FOLDERS), *(path.resolve() for path in code)]
    writable = [work_parent(), Path("/dev/null")]
    if folders["OUTBOX"]:
        writable.append(folders["OUTBOX"])
    if folders["INBOX"]:
        readable.append(folders["INBOX"])
    address = conninfo.conninfo_to_dict(os.environ.get("SETTLEMENT_LOADER_DSN", ""))
    ports = [int(port) for port in str(address.get("port") or 5432).split(",") if port]
    confine(readable, writable, ports if all(folders.values()) else None)


def _local(address: str) -> Path | None:
    """The folder of an address, None where it is on another machine: then any port may be needed.

    Raises:
        ValueError: for an empty address, which would open whatever folder the process happens to stand in.
    """
    path = address.removeprefix("file://")
    if not path:
        raise ValueError("SETTLEMENT_INBOX or SETTLEMENT_OUTBOX is empty (收发件箱地址为空)")
    return None if "://" in path else Path(path)


def _end(number: int, frame: object) -> None:
    """End as an exception does, so that the load's transaction and work folder go with it."""
    sys.exit(128 + number)


class _Handler(logging.Handler):
    """Hands log lines over, for the log of who asked."""

    def __init__(self, answers: TextIO) -> None:
        super().__init__()
        self._answers = answers

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        _tell(self._answers, {"log": [record.levelno, record.name, record.getMessage()]})


def _tell(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content, ensure_ascii=False) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
