"""Bank files leave the database for the outbox: `payments/<area>/<pay date>/<message id>.xml` and `.csv`."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from upath import UPath

from settlement.intake.folders import outbox
from settlement.statements import statement
from settlement.whole_files import write_whole

log = logging.getLogger(__name__)


def write_bank_files(
    connection: psycopg.Connection[Any],
    *,
    pay_date: date,
    area_code: str | None = None,
    request_ids: Sequence[UUID] = (),
) -> list[str]:
    """Write the files of a pay date, and of `request_ids`, that the outbox does not hold byte for byte yet.

    What an earlier pay date left unwritten is written too. Each file's arrival is committed.

    Returns:
        The addresses written now; empty when nothing was missing.
    """
    scope = {"pay_date": pay_date, "area_code": area_code, "request_ids": list(request_ids)}
    written = []
    files = connection.execute(statement("settlement.payments", "bank_files"), scope).fetchall()
    for message_id, area, day, xml, csv in files:
        folder = outbox() / "payments" / area / day.isoformat()
        for suffix, content in (("xml", xml), ("csv", csv)):
            path = folder / f"{message_id}.{suffix}"
            if _write_once(path, content.encode()):
                log.info("bank file %s written", path)
                written.append(str(path))
        connection.execute(
            "insert into ledger.bank_file_written (message_id) values (%s) on conflict do nothing", [message_id]
        )
        connection.commit()
    return written


def _write_once(path: UPath, content: bytes) -> bool:
    """Write a file whole or not at all; False if it is there already with these very bytes."""
    if path.exists() and path.read_bytes() == content:
        return False
    write_whole(path, content)
    return True
