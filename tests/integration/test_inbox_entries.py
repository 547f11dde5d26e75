"""An entry of the inbox that cannot be read is that batch's failure: it is told, and the others go on."""

import os
import socket
from pathlib import Path

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import area, write_batch
from tests.fixtures.folders import reachable_folder
from tests.fixtures.processes import run_unprivileged

from settlement.errors import SettlementError
from settlement.intake import receive, waiting_batches
from settlement.intake.folders import complete_batches, open_inside


def deliver(warehouse: Warehouse, batch_id: str) -> Path:
    write_batch(warehouse.inbox, batch_id, "reference", {"area": [area("330100")]})
    return warehouse.inbox / batch_id


RECEIVE_ALL = """
import sys
from settlement.intake import receive, waiting_batches
receive("first")  # imports everything, while it may
give_up_rights()
for batch_id in waiting_batches():
    receipt = receive(batch_id)
    print(batch_id, receipt.status, (receipt.error or {}).get("code"))
print("waiting", *waiting_batches())
"""


def test_a_closed_folder_a_closed_manifest_and_a_closed_file_stop_nobody_and_are_received_once_opened(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reachable_folder() as folder:
        for name in ("inbox", "outbox", "local"):
            (folder / name).mkdir()
            (folder / name).chmod(0o777)
            monkeypatch.setenv(f"SETTLEMENT_{name.upper()}", str(folder / name))
        place = Warehouse(warehouse.admin_dsn, folder / "inbox", folder / "outbox")
        for batch_id in ("first", "a-folder", "b-manifest", "c-file", "d-open"):
            deliver(place, batch_id)
        (folder / "local" / "work").mkdir()
        (folder / "local" / "work").chmod(0o777)
        (place.inbox / "a-folder").chmod(0)
        (place.inbox / "b-manifest" / "manifest.json").chmod(0)
        (place.inbox / "c-file" / "area.csv").chmod(0)
        assert run_unprivileged(RECEIVE_ALL).splitlines() == [
            "c-file refused file_unreadable",
            "d-open accepted None",
            "a-folder refused file_unreadable",
            "b-manifest refused file_unreadable",
            "waiting",
        ]
        (place.inbox / "a-folder").chmod(0o755)
        (place.inbox / "b-manifest" / "manifest.json").chmod(0o644)
        (place.inbox / "c-file" / "area.csv").chmod(0o644)
        assert waiting_batches() == ["a-folder", "b-manifest", "c-file"]
        assert {receive(batch_id).status for batch_id in waiting_batches()} == {"accepted"}


def entry(folder: Path, kind: str) -> None:
    """Put something that is no file where the manifest should be, or no folder where the batch should be."""
    manifest = folder / "manifest.json"
    if kind == "dangling link to a folder":
        folder.symlink_to("nowhere")
        return
    if kind == "link to a folder":
        (folder.parent.parent / "elsewhere").mkdir()
        (folder.parent.parent / "elsewhere" / "manifest.json").write_text("{}")
        folder.symlink_to(folder.parent.parent / "elsewhere")
        return
    folder.mkdir()
    if kind == "dangling link":
        manifest.symlink_to("nowhere")
    elif kind == "link in a circle":
        manifest.symlink_to("manifest.json")
    elif kind == "pipe":
        os.mkfifo(manifest)
    elif kind == "folder":
        manifest.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as server:
            here = Path.cwd()
            os.chdir(folder)  # a socket's name is short
            server.bind("manifest.json")
            os.chdir(here)


@pytest.mark.parametrize(
    "kind",
    [
        *("dangling link", "link in a circle", "pipe", "folder", "socket"),
        *("dangling link to a folder", "link to a folder"),
    ],
)
def test_what_is_no_manifest_is_refused_with_a_receipt_and_the_others_are_received(
    warehouse: Warehouse, kind: str
) -> None:
    entry(warehouse.inbox / "a-odd", kind)
    deliver(warehouse, "b-good")
    assert waiting_batches() == ["b-good", "a-odd"]
    odd, good = receive("a-odd"), receive("b-good")
    assert odd.error is not None
    assert (odd.status, odd.error["code"], good.status) == ("refused", "file_not_plain", "accepted")
    assert (warehouse.outbox / "a-odd" / "receipt.json").exists()
    assert waiting_batches() == []


def test_pipes_sockets_and_files_in_the_inbox_itself_are_no_batches(warehouse: Warehouse) -> None:
    os.mkfifo(warehouse.inbox / "pipe")
    (warehouse.inbox / "notes").write_text("")
    deliver(warehouse, "good")
    assert complete_batches() == ["good"]


@pytest.mark.parametrize("name", ["payments", "bookings", "seals", "Payments", "SEALS"])
def test_no_batch_has_the_name_of_a_folder_of_the_outbox(
    warehouse: Warehouse, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(warehouse, name)
    deliver(warehouse, f"{name}-1")
    assert complete_batches() == [f"{name}-1"]
    assert f"{name} is left alone" in caplog.text
    with pytest.raises(SettlementError) as error:
        receive(name)
    assert error.value.code == "batch_id_invalid"
    assert not (warehouse.outbox / name).exists()


def test_a_file_that_becomes_a_link_or_a_pipe_after_it_was_looked_at_is_not_followed(tmp_path: Path) -> None:
    from upath import UPath

    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "batch"
    folder.mkdir()
    for make in (lambda path: path.symlink_to(tmp_path / "secret"), os.mkfifo):
        make(folder / "a.csv")
        with pytest.raises(SettlementError) as error:
            open_inside(UPath(folder), "a.csv")
        assert error.value.code == "file_not_plain"
        (folder / "a.csv").unlink()
