"""An account that is bound to areas, or to kinds of batches, starts runs on these only, whichever DAG takes them."""

import json
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.conftest import Warehouse
from tests.fixtures.bank import write_bank_batch
from tests.fixtures.batches import area, write_batch
from tests.fixtures.runs import run_as

from settlement.contract.manifest import KINDS
from settlement.intake import receive
from settlement.tasks import intake, parameters, payment, receipts

FINDERS = {"receive_batch": intake.find_batches, "record_receipts": receipts.find_receipts}
OWN, OTHER = "330100", "330200"


@pytest.fixture
def find(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch):
    """The first step of a DAG, as the run of `account` on `batch_id`; a bank batch of each area waits for it."""
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", json.dumps({"hangzhou": [OWN]}))
    kinds = {"bank": ["bank_receipt"], "hospital": ["settlement"], "hangzhou": ["bank_receipt"], "province": KINDS}
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", json.dumps(kinds))
    write_batch(warehouse.inbox, "areas", "reference", {"area": [area(OWN), area(OTHER)]}, area_code="330000")
    receive("areas")
    for code in (OWN, OTHER):
        write_bank_batch(warehouse.inbox, f"{code}-bank", "2026-03-03", area_code=code, booked=[("e1", "1.00")])

    def run(dag_id: str, batch_id: str | None, account: str = "hangzhou") -> list[str]:
        run = SimpleNamespace(conf={}, triggering_user_name=account)
        for module in (parameters, intake, receipts):
            monkeypatch.setattr(
                module, "get_current_context", lambda: {"dag_run": run, "params": {"batch_id": batch_id}}
            )
        if dag_id == "record_receipts":
            for code in (OWN, OTHER):
                assert receive(f"{code}-bank").status in ("accepted", "duplicate")
        found = FINDERS[dag_id].function()
        if dag_id == "receive_batch":
            return [found_batch for portion in found for found_batch in portion]
        return found

    return run


@pytest.mark.parametrize("dag_id", FINDERS)
def test_a_bound_account_starts_a_run_on_a_batch_of_its_area(find, dag_id):
    assert find(dag_id, f"{OWN}-bank") == [f"{OWN}-bank"]


@pytest.mark.parametrize("dag_id", FINDERS)
def test_a_bound_account_starts_no_run_on_a_batch_of_another_area(find, dag_id):
    refusal = r"batch_id_not_yours.*hangzhou" if dag_id == "receive_batch" else r"area_not_allowed.*on area 330200"
    with pytest.raises(AirflowFailException, match=refusal):
        find(dag_id, f"{OTHER}-bank")


def test_a_bound_account_starts_no_run_on_a_batch_of_another_area_that_has_an_id_of_its_own(find, warehouse):
    write_batch(warehouse.inbox, f"{OWN}-x", "settlement", {"settlement": []}, day="2026-03-02", area_code=OTHER)
    with pytest.raises(AirflowFailException, match=r"area_not_allowed.*hangzhou may not act on area 330200"):
        find("receive_batch", f"{OWN}-x")


@pytest.mark.parametrize("dag_id", FINDERS)
def test_a_bound_account_starts_no_run_on_every_batch_that_waits(find, dag_id):
    with pytest.raises(AirflowFailException, match=r"area_not_allowed.*hangzhou may not act on every area"):
        find(dag_id, None)


@pytest.mark.parametrize("dag_id", FINDERS)
@pytest.mark.parametrize("account", ["province", None], ids=["unbound", "scheduler"])
def test_an_account_that_is_not_bound_takes_every_batch_that_waits(find, dag_id, account):
    assert find(dag_id, None, account) == [f"{OWN}-bank", f"{OTHER}-bank"]


@pytest.mark.parametrize("dag_id", FINDERS)
def test_an_account_bound_to_kinds_starts_a_run_on_a_batch_of_its_kind(find, dag_id):
    assert find(dag_id, f"{OWN}-bank", "bank") == [f"{OWN}-bank"]


@pytest.mark.parametrize("dag_id", FINDERS)
def test_an_account_bound_to_kinds_starts_no_run_on_a_batch_of_another_kind(find, dag_id):
    with pytest.raises(AirflowFailException, match=r"kind_not_allowed.*may not deliver batches of kind bank_receipt"):
        find(dag_id, f"{OWN}-bank", "hospital")


def test_an_account_bound_to_kinds_takes_of_all_that_wait_only_its_own(find, warehouse):
    write_batch(warehouse.inbox, "more", "reference", {"area": [area("330300")]}, area_code="330000")
    unreadable = warehouse.inbox / "unreadable"
    unreadable.mkdir()
    (unreadable / "manifest.json").write_text("{")
    assert find("receive_batch", None, "bank") == [f"{OWN}-bank", f"{OTHER}-bank"]
    assert find("receive_batch", None, "hospital") == []
    assert set(find("receive_batch", None, "province")) == {f"{OWN}-bank", f"{OTHER}-bank", "more", "unreadable"}


def test_an_account_that_may_not_deliver_bank_receipts_records_none(find):
    with pytest.raises(AirflowFailException, match="kind_not_allowed"):
        find("record_receipts", None, "hospital")
    assert find("record_receipts", None, "bank") == [f"{OWN}-bank", f"{OTHER}-bank"]


@pytest.mark.parametrize("dag_id", FINDERS)
def test_a_batch_without_a_known_area_is_left_to_the_step_that_refuses_it(find, dag_id, warehouse):
    folder = warehouse.inbox / f"{OWN}-unreadable"
    folder.mkdir()
    (folder / "manifest.json").write_text("{")
    assert find(dag_id, f"{OWN}-unreadable") == [f"{OWN}-unreadable"]
    assert find(dag_id, f"{OWN}-nowhere") == [f"{OWN}-nowhere"]


def test_who_may_deliver_the_banks_answers_settles_no_day(warehouse, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", json.dumps({"bank": ["bank_receipt"], "agency": ["reference"]}))

    def settle(account: str) -> None:
        run_as(monkeypatch, account=account, pay_date="2026-03-01", area_code=OWN)  # a Sunday
        payment.resolve_pay_date.function()

    with pytest.raises(AirflowFailException, match="duties_not_divided"):
        settle("bank")
    with pytest.raises(AirflowFailException, match="not_a_working_day"):
        settle("agency")
    monkeypatch.setenv("SETTLEMENT_UNDIVIDED_ACCOUNTS", "bank")
    with pytest.raises(AirflowFailException, match="not_a_working_day"):
        settle("bank")
