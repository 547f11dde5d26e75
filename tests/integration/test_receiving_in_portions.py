"""The steps of `receive_batch`: one process loads many batches, and one that cannot be loaded stops no other."""

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.conftest import Warehouse
from tests.fixtures.batches import area, write_batch

from settlement.tasks import intake, parameters

AREA = "330100"


@pytest.fixture
def notes(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The notes that a run without parameters writes, its steps called one by one."""
    written: list[str] = []
    context = {"dag_run": SimpleNamespace(conf={}, triggering_user_name=None), "params": {"batch_id": None}}
    for module in (parameters, intake):
        monkeypatch.setattr(module, "get_current_context", lambda: context)
    monkeypatch.setattr(intake, "write_note", written.append)
    return written


def deliver(warehouse: Warehouse, *batch_ids: str) -> None:
    for batch_id in batch_ids:
        write_batch(warehouse.inbox, batch_id, "reference", {"area": [area(AREA)]}, area_code=AREA)


@pytest.mark.usefixtures("notes")
def test_what_waits_is_given_in_portions_in_its_order(warehouse, monkeypatch):
    deliver(warehouse, "a", "b", "c")
    monkeypatch.setattr(intake, "BATCHES_OF_A_TASK", 2)
    assert intake.find_batches.function() == [["a", "b"], ["c"]]


def test_a_batch_that_cannot_be_loaded_leaves_the_others_to_go_on_and_fails_the_run_at_its_end(warehouse, notes):
    deliver(warehouse, "a", "b")
    received = intake.load_and_check.function(["a", "gone", "b"])
    assert [receipt["batch_id"] for receipt in received["receipts"]] == ["a", "b"]
    assert set(received["failures"]) == {"gone"}
    with pytest.raises(AirflowFailException, match=r"run_incomplete\] gone: \[batch_not_found"):
        intake.report_outcome.function([received], None)
    (note,) = notes
    assert "a accepted: 1 read" in note
    assert "FAILED 失败: gone: [batch_not_found]" in note


@pytest.mark.usefixtures("notes")
def test_the_only_batch_fails_its_task_at_once(warehouse):
    with pytest.raises(AirflowFailException, match="batch_not_found"):
        intake.load_and_check.function(["gone"])


@pytest.mark.usefixtures("notes")
def test_a_missing_setting_fails_the_task_at_once_and_is_told_once(warehouse, monkeypatch):
    deliver(warehouse, "a", "b")
    monkeypatch.setenv("SETTLEMENT_PERSON_KEY", "no hex digits")
    with pytest.raises(AirflowFailException, match="person_key_invalid"):
        intake.load_and_check.function(["a", "b"])


@pytest.mark.usefixtures("notes")
def test_a_portion_that_was_killed_goes_on_where_it_stopped(warehouse):
    deliver(warehouse, "a", "b")
    intake.load_and_check.function(["a"])
    received = intake.load_and_check.function(["a", "b"])
    assert [receipt["status"] for receipt in received["receipts"]] == ["duplicate", "accepted"]


def test_portions_without_a_failure_make_one_note(warehouse, notes):
    deliver(warehouse, "a", "b")
    portions = [intake.load_and_check.function([batch_id]) for batch_id in ("a", "b")]
    intake.report_outcome.function(portions, None)
    assert notes[0].startswith("2 batches: a accepted: 1 read, 1 accepted, 0 refused; b ")
