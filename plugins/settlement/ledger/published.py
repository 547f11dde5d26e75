"""What stands outside the database: the newest seals, a file a day that an auditor keeps, and the bank files.

`<outbox>/seals/<day>.json` names the newest seal of every area's books and of the records. Whoever rewrites the books
and all seals after them cannot rewrite the copies that somebody else has kept.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
from upath import UPath

from settlement.intake.folders import outbox
from settlement.ledger.records import CHAIN, RecordFault, newest_seal
from settlement.statements import statement
from settlement.warehouse import connect
from settlement.whole_files import write_whole

PACKAGE = "settlement.ledger"
FOLDER = "seals"


def publish_seals(day: date) -> str:
    """Write the newest seals as the file of a day, over what an earlier run of the day wrote. Returns its address.

    Args:
        day: The day that the run was planned for.
    """
    with connect("poster", application_name="settlement publish seals") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        books = connection.execute(statement(PACKAGE, "newest_seals")).fetchall()
        records = newest_seal(connection)
    content = {
        "day": day.isoformat(),
        "books": {area: {"posting_run_id": run_id, "seal": seal} for area, run_id, seal in books},
        CHAIN: {"seal_id": records.number, "seal": records.seal},
    }
    path = outbox() / FOLDER / f"{day.isoformat()}.json"
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
    return str(path)


def published_faults(connection: psycopg.Connection[Any], folder: UPath) -> list[RecordFault]:
    """Say which published seals the database does not hold (any more).

    Args:
        connection: As auditor.
        folder: Where the files of the days are: the outbox's, or an auditor's own copies.
    """
    if not folder.is_dir():
        return []
    kept_books = _seals(connection, "select posting_run_id, seal from ledger.posting_run")
    kept_records = _seals(connection, "select seal_id, seal from ledger.record_seal")
    faults = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_bytes())
            named = [
                ("ledger.posting_run", kept_books, each["posting_run_id"], each["seal"])
                for each in content["books"].values()
            ]
            named.append(("ledger.record_seal", kept_records, content[CHAIN]["seal_id"], content[CHAIN]["seal"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            faults.append(RecordFault("published seals", path.name, "unreadable"))
            continue
        faults += [
            RecordFault(relation, f"{number} ({path.name})", "not_as_published")
            for relation, kept, number, seal in named
            if number and kept.get(number) != seal
        ]
    return faults


def _seals(connection: psycopg.Connection[Any], query: Any) -> dict[int, str]:
    return dict(connection.execute(query).fetchall())


def outbox_faults(connection: psycopg.Connection[Any], area_code: str | None) -> Iterator[RecordFault]:
    """Say which bank files are not the bytes that they were recorded with, in the database or in the outbox.

    A file that the bank has fetched and taken away is no fault.
    """
    folder = outbox() / "payments"
    with connection.cursor("bank_files") as cursor:
        cursor.execute(statement(PACKAGE, "recorded_bank_files"), {"area_code": area_code})
        for message_id, area, day, sha256, xml, csv in cursor:
            if hashlib.sha256(xml.encode()).hexdigest() != sha256:
                yield RecordFault("ledger.bank_file", message_id, "content_differs")
            for suffix, content in (("xml", xml), ("csv", csv)):
                path = folder / area / day.isoformat() / f"{message_id}.{suffix}"
                if path.is_file() and path.read_bytes() != content.encode():
                    yield RecordFault("outbox", str(path), "content_differs")
