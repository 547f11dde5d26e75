"""Batch folders on their way to the inbox, and receipts on their way back."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from upath import UPath

from settlement.contract.manifest import BATCH_ID
from settlement.errors import SettlementError
from settlement.intake.folders import MANIFEST, open_inside
from settlement.whole_files import write_whole


@dataclass(frozen=True)
class Batch:
    """A batch folder on the sender's disk."""

    batch_id: str
    kind: str
    day: str
    folder: Path
    files: tuple[str, ...]


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


def copy_to_inbox(batch: Batch, inbox: str, outbox: str) -> str:
    """Copy the files that the manifest names, the manifest last: it says that the batch is complete.

    A batch that lies there is left alone, unless it was refused: then it loaded nothing, and what is sent now takes
    its place.

    Returns:
        The id of the run that receives it: the batch's own, after a refusal one named after that refusal.

    Raises SettlementError: batch_id_taken when another batch of this id lies in the inbox; file_missing and
    file_not_plain, where the manifest names what is not a plain file of the folder.
    """
    target = UPath(inbox) / batch.batch_id
    refused_at = _refused_at(batch.batch_id, outbox)
    manifest = (batch.folder / MANIFEST).read_bytes()
    if (target / MANIFEST).exists() and not refused_at:
        if (target / MANIFEST).read_bytes() != manifest:
            raise SettlementError(
                "batch_id_taken",
                f"another batch {batch.batch_id} lies in {inbox} (批次号重复)",
                "send corrections as a new batch with an id of its own",
            )
        return batch.batch_id
    (target / MANIFEST).unlink(missing_ok=True)
    for name in batch.files:
        with open_inside(UPath(batch.folder), name) as source:
            target.mkdir(parents=True, exist_ok=True)
            with (target / name).open("wb") as sink:
                shutil.copyfileobj(source, sink)
    write_whole(target / MANIFEST, manifest)
    return f"{batch.batch_id}--{refused_at}" if refused_at else batch.batch_id


def _refused_at(batch_id: str, outbox: str) -> str:
    """When the gate refused the batch, as run ids write it; empty where it did not. A person's rejection is final."""
    path = UPath(outbox) / batch_id / "receipt.json"
    if not path.exists():
        return ""
    receipt = json.loads(path.read_text())
    if receipt["status"] != "refused" or receipt["error"]["code"] == "held_rejected":
        return ""
    return f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y%m%dT%H%M%S.%f}"


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
        names = tuple(str(file["name"]) for file in manifest["files"])
        batch = Batch(str(manifest["batch_id"]), manifest["kind"], manifest.get("business_date") or "", folder, names)
    except (ValueError, KeyError, TypeError) as error:
        raise SettlementError(
            "manifest_unreadable", f"{folder / MANIFEST} is no manifest: {error!r}", "see docs/api.md"
        ) from error
    if not BATCH_ID.fullmatch(batch.batch_id):
        raise SettlementError(
            "batch_id_invalid",
            f"{folder / MANIFEST}: {batch.batch_id!r} is not a batch id (批次号不合规)",
            "1 to 64 letters, digits, '_', '.' or '-', beginning with a letter or digit",
        )
    if unsafe := [name for name in names if Path(name).name != name]:
        raise SettlementError(
            "file_name_unsafe", f"{folder / MANIFEST} names {unsafe[0]!r}", "name files of the batch folder only"
        )
    return batch
