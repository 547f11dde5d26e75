"""Batch folders on their way from a sender's disk to the inbox."""

import json
from pathlib import Path

import pytest

from settlement.cli.delivery import batches_in, copy_to_inbox
from settlement.errors import SettlementError


def batch_folder(folder: Path, batch_id: str = "b1", files: tuple[str, ...] = ("a.csv",), content: str = "x") -> Path:
    folder.mkdir(exist_ok=True)
    manifest = {"batch_id": batch_id, "kind": "settlement", "files": [{"name": name} for name in files]}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"note": content}))
    for name in files:
        if "/" not in name:
            (folder / name).write_text(content)
    return folder


def deliver(tmp_path: Path, folder: Path) -> str:
    [batch] = batches_in(folder)
    return copy_to_inbox(batch, str(tmp_path / "inbox"), str(tmp_path / "outbox"))


def write_receipt(tmp_path: Path, code: str) -> None:
    folder = tmp_path / "outbox" / "b1"
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_text(json.dumps({"status": "refused", "error": {"code": code}}))


def test_only_files_of_the_manifest_are_copied(tmp_path):
    folder = batch_folder(tmp_path / "sent")
    (folder / "notes.txt").write_text("private")
    assert deliver(tmp_path, folder) == "b1"
    assert sorted(path.name for path in (tmp_path / "inbox" / "b1").iterdir()) == ["a.csv", "manifest.json"]


def test_a_batch_that_lies_in_the_inbox_is_left_alone_and_another_of_its_id_refused(tmp_path):
    deliver(tmp_path, batch_folder(tmp_path / "sent"))
    assert deliver(tmp_path, tmp_path / "sent") == "b1"
    with pytest.raises(SettlementError, match="another batch b1") as refused:
        deliver(tmp_path, batch_folder(tmp_path / "sent", content="y"))
    assert refused.value.code == "batch_id_taken"


def test_a_refused_batch_comes_again_mended_under_a_run_of_its_own(tmp_path):
    deliver(tmp_path, batch_folder(tmp_path / "sent"))
    write_receipt(tmp_path, "control_mismatch")
    run_id = deliver(tmp_path, batch_folder(tmp_path / "sent", content="mended"))
    assert run_id.startswith("b1--20")
    assert deliver(tmp_path, tmp_path / "sent") == run_id
    assert (tmp_path / "inbox" / "b1" / "a.csv").read_text() == "mended"


def test_a_batch_that_a_person_rejected_stays_rejected(tmp_path):
    deliver(tmp_path, batch_folder(tmp_path / "sent"))
    write_receipt(tmp_path, "held_rejected")
    with pytest.raises(SettlementError, match="another batch"):
        deliver(tmp_path, batch_folder(tmp_path / "sent", content="mended"))


@pytest.mark.parametrize("batch_id", ["../evil", "", "a/b", ".hidden"])
def test_a_batch_id_that_could_be_a_path_is_refused(tmp_path, batch_id):
    with pytest.raises(SettlementError) as refused:
        deliver(tmp_path, batch_folder(tmp_path / "sent", batch_id=batch_id))
    assert refused.value.code == "batch_id_invalid"
    assert not (tmp_path / "inbox").exists()


def test_a_file_outside_the_folder_is_refused(tmp_path):
    with pytest.raises(SettlementError) as refused:
        deliver(tmp_path, batch_folder(tmp_path / "sent", files=("../secret.csv",)))
    assert refused.value.code == "file_name_unsafe"


def test_a_link_is_not_followed(tmp_path):
    folder = batch_folder(tmp_path / "sent")
    (folder / "a.csv").unlink()
    (folder / "a.csv").symlink_to("/etc/hostname")
    with pytest.raises(SettlementError) as refused:
        deliver(tmp_path, folder)
    assert refused.value.code == "file_not_plain"
    assert not (tmp_path / "inbox" / "b1" / "manifest.json").exists()
