"""Batch folders on their way to the inbox, and receipts on their way back."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from settlement.errors import SettlementError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Batch:
    """A batch folder on the sender's disk."""

    batch_id: str
    kind: str
    day: str
    folder: Path


def batches_in(directory: Path) -> list[Batch]:
    """The batch in `directory`, or those in its folders: reference first, then by day and id.

    Raises SettlementError: no_batch.
    """
    folders = [directory] if (directory / MANIFEST).exists() else sorted(directory.iterdir())
    batches = [_batch(folder) for folder in folders if (folder / MANIFEST).exists()]
    if not batches:
        raise SettlementError(
            "no_batch",
            f"{directory} holds no batch: there is no {MANIFEST} in it or in its folders (没有批次)",
            "a batch is a folder with a manifest.json and the files it names",
        )
    return sorted(batches, key=lambda batch: (batch.kind != "reference", batch.day, batch.batch_id))


def copy_to_inbox(batch: Batch, inbox: str) -> None:
    """Copy the files, the manifest last: it says that the batch is complete. A batch that lies there is left alone.

    Raises SettlementError: batch_id_taken when another batch of this id lies in the inbox.
    """
    target = UPath(inbox) / batch.batch_id
    manifest = (batch.folder / MANIFEST).read_bytes()
    if (target / MANIFEST).exists():
        if (target / MANIFEST).read_bytes() != manifest:
            raise SettlementError(
                "batch_id_taken",
                f"another batch {batch.batch_id} lies in {inbox} (批次号重复)",
                "send corrections as a new batch with an id of its own",
            )
        return
    target.mkdir(parents=True, exist_ok=True)
    for path in batch.folder.iterdir():
        if path.is_file() and path.name != MANIFEST:
            UPath(path).copy(target / path.name)
    (target / MANIFEST).write_bytes(manifest)


def read_receipt(batch_id: str, outbox: str) -> dict[str, Any]:
    """The receipt that the platform wrote. Raises SettlementError: no_receipt."""
    path = UPath(outbox) / batch_id / "receipt.json"
    if not path.exists():
        raise SettlementError("no_receipt", f"there is no {path} (没有回执)", "look at the run's log in Airflow")
    receipt: dict[str, Any] = json.loads(path.read_text())
    return receipt


def _batch(folder: Path) -> Batch:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return Batch(manifest["batch_id"], manifest["kind"], manifest.get("business_date") or "", folder)
    except (ValueError, KeyError, TypeError) as error:
        raise SettlementError(
            "manifest_unreadable", f"{folder / MANIFEST} is no manifest: {error!r}", "see docs/api.md"
        ) from error
