"""Reference data that moves money waits for a second person, wherever one is named."""

from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, bank_account, institution, write_batch

from settlement.contract.tables import MASTER_DATA, TABLES
from settlement.intake import Receipt, receive
from settlement.tasks.intake import ReleaseOperator
from settlement.tasks.people import objection_to

CITY, NEIGHBOUR = "651100", "651200"
HOSPITAL = "H65110000001"
OLD, NEW = bank_account(HOSPITAL)["account_no"], "6200000000000777"
CHANGED_ACCOUNT = {
    "bank_account": [
        bank_account(HOSPITAL, valid_to="2026-11-25"),
        bank_account(HOSPITAL, account_no=NEW, valid_from="2026-11-26"),
    ]
}


@pytest.fixture
def city(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A city with a hospital and its account, brought before anybody was named to look at such data."""
    tables = {
        "area": [area(CITY)],
        "institution": [institution(HOSPITAL)],
        "bank_account": [bank_account(HOSPITAL)],
    }
    assert bring(warehouse, f"{CITY}-first", tables).status == "accepted"
    monkeypatch.setenv("SETTLEMENT_MASTER_DATA_RELEASERS", "chief")
    return warehouse


def bring(warehouse: Warehouse, batch_id: str, tables: dict[str, list[Row]], **by: Any) -> Receipt:
    write_batch(warehouse.inbox, batch_id, "reference", tables, area_code=CITY)
    return receive(batch_id, **by)


def accounts(warehouse: Warehouse) -> list[str]:
    rows = warehouse.rows(
        "select account_no from reference.bank_account where fixmedins_code = %s order by valid_from", HOSPITAL
    )
    return [account for (account,) in rows]


def question(batch_id: str) -> Any:
    operator = ReleaseOperator(task_id="ask", options=["release", "reject"], answered_by="SETTLEMENT_RELEASERS")
    return operator.question_about(batch_id)


def test_a_changed_account_waits_for_a_second_person(city: Warehouse) -> None:
    receipt = bring(city, f"{CITY}-account", CHANGED_ACCOUNT, received_by="sender")
    assert (receipt.status, receipt.as_json()["held_for"]) == ("held", ["master_data"])
    assert accounts(city) == [OLD]


def test_released_it_takes_effect_in_the_name_of_who_released_it(city: Warehouse) -> None:
    bring(city, f"{CITY}-account", CHANGED_ACCOUNT, received_by="sender")
    receipt = receive(f"{CITY}-account", release_by="chief", reason="letter of 2026-11-20")
    assert receipt.status == "accepted"
    assert accounts(city) == [OLD, NEW]
    assert city.rows("select received_by, decided_by, held_for from intake.batch where batch_id like '%%account'") == [
        ("sender", "chief", None)
    ]


def test_rejected_it_never_takes_effect(city: Warehouse) -> None:
    bring(city, f"{CITY}-account", CHANGED_ACCOUNT)
    assert receive(f"{CITY}-account", reject_by="chief", reason="nobody ordered it").status == "refused"
    assert accounts(city) == [OLD]


def test_a_release_of_what_is_not_held_yet_releases_nothing(city: Warehouse) -> None:
    assert bring(city, f"{CITY}-account", CHANGED_ACCOUNT, release_by="sender").status == "held"
    assert accounts(city) == [OLD]


def test_the_question_shows_what_stands_and_what_would_stand(city: Warehouse) -> None:
    bring(city, f"{CITY}-account", CHANGED_ACCOUNT, received_by="sender")
    asked = question(f"{CITY}-account")
    assert f"| bank_account | {HOSPITAL} | 2026-11-26 | account_no | {OLD} | {NEW} |" in asked.body
    assert "valid_to |  | 2026-11-25 |" in asked.body
    assert (asked.caused_by, asked.answered_by) == ("sender", "SETTLEMENT_MASTER_DATA_RELEASERS")


def test_a_raised_threshold_is_shown_beside_the_one_in_force(city: Warehouse) -> None:
    old = area(CITY)
    raised = area(CITY, approval_threshold="8888888.00", valid_from="2026-12-01")
    bring(city, f"{CITY}-threshold", {"area": [old | {"valid_to": "2026-11-30"}, raised]})
    assert "| approval_threshold | 100000\\.00 | 8888888\\.00 |" in question(f"{CITY}-threshold").body


@pytest.mark.parametrize(
    ("person", "counts"), [("chief", True), ("sender", False), ("operator", False)], ids=lambda value: str(value)
)
def test_only_a_named_person_answers_and_never_who_brought_it(city: Warehouse, person: str, counts: bool) -> None:
    bring(city, f"{CITY}-account", CHANGED_ACCOUNT, received_by="sender")
    asked = question(f"{CITY}-account")
    answer = {"about": asked.about, "option": "release", "person": person, "reason": ""}
    objection = objection_to(answer, asked.area_code, {asked.caused_by}, {"chief"})  # type: ignore[arg-type]
    assert (objection is None) == counts


def test_the_same_rows_again_ask_nobody(city: Warehouse) -> None:
    receipt = bring(city, f"{CITY}-again", {"bank_account": [bank_account(HOSPITAL)]})
    assert (receipt.status, receipt.files[0]["repeated"]) == ("accepted", 1)


def test_data_that_moves_no_money_asks_nobody(city: Warehouse) -> None:
    other = institution("H65110000002")
    assert bring(city, f"{CITY}-hospital", {"institution": [other]}).status == "accepted"


def test_where_nobody_is_named_it_takes_effect_at_once(city: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_MASTER_DATA_RELEASERS", " , ")
    assert bring(city, f"{CITY}-account", CHANGED_ACCOUNT).status == "accepted"


def test_a_batch_with_refused_rows_as_well_says_both(city: Warehouse) -> None:
    tables = CHANGED_ACCOUNT | {"institution": [institution("H65110000002", agreement_status="?")]}
    receipt = bring(city, f"{CITY}-both", tables)
    assert receipt.held_for == ("rejections", "master_data")
    assert "break a rule" in question(f"{CITY}-both").body


def test_rows_of_an_area_that_the_sender_is_not_bound_to_are_refused_in_a_batch_of_the_province(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"province": ["650000", "651200"], "whole": ["650000", "651100"]}')
    rows = {"bank_account": [bank_account(HOSPITAL, valid_to="2026-11-25")]}
    for account, reasons in (("province", {"R_AREA": 1}), ("whole", {})):
        batch_id = f"650000-{account}"
        write_batch(city.inbox, batch_id, "reference", rows, area_code="650000")
        assert receive(batch_id, received_by=account).reasons == reasons


def test_every_table_that_moves_money_is_a_reference_table() -> None:
    assert {TABLES[name].kind for name in MASTER_DATA} == {"reference"}
