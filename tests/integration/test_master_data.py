"""Reference data that moves money waits for a second person, wherever one is named."""

from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, bank_account, institution, write_batch

from settlement.contract.tables import MASTER_DATA, TABLES
from settlement.intake import Receipt, master_data, receive
from settlement.intake.batches import record_delivery
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
        ("sender", "chief", ["master_data"])
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


def test_a_new_institution_asks_nobody_and_a_changed_one_does(city: Warehouse) -> None:
    other = institution("H65110000002")
    assert bring(city, f"{CITY}-hospital", {"institution": [other]}).status == "accepted"
    ended = [other | {"valid_to": "2026-11-25"}, other | {"valid_from": "2026-11-26", "agreement_status": "guidance"}]
    assert bring(city, f"{CITY}-status", {"institution": ended}).held_for == ("master_data",)


UNREGISTERED = "H65110000003"


def test_a_batch_that_was_held_for_refused_rows_only_is_asked_about_again_when_it_would_move_money(
    city: Warehouse,
) -> None:
    held = bring(city, f"{CITY}-early", {"bank_account": [bank_account(UNREGISTERED)]}, received_by="sender")
    assert held.held_for == ("rejections",)
    old_question = question(f"{CITY}-early")
    assert bring(city, f"{CITY}-late", {"institution": [institution(UNREGISTERED)]}).status == "accepted"
    receipt = receive(f"{CITY}-early", release_by="operator", reason="fine")
    assert (receipt.status, receipt.held_for) == ("held", ("master_data",))
    assert city.rows("select count(*) from reference.bank_account where fixmedins_code = %s", UNREGISTERED) == [(0,)]
    assert city.rows("select count(*) from intake.batch_decision") == [(0,)]
    assert question(f"{CITY}-early").digest != old_question.digest
    assert receive(f"{CITY}-early", release_by="chief", reason="seen").status == "accepted"


def test_a_release_holds_again_what_shows_another_change_than_was_asked_about(city: Warehouse) -> None:
    tables = {"bank_account": [*CHANGED_ACCOUNT["bank_account"], bank_account(UNREGISTERED)]}
    assert bring(city, f"{CITY}-two", tables).held_for == ("rejections", "master_data")
    bring(city, f"{CITY}-late", {"institution": [institution(UNREGISTERED)]})
    assert receive(f"{CITY}-two", release_by="chief", reason="one account").status == "held"
    assert UNREGISTERED in question(f"{CITY}-two").body


def test_a_release_that_meets_another_change_says_so_and_not_that_the_content_changed(city: Warehouse) -> None:
    bring(city, f"{CITY}-one", CHANGED_ACCOUNT)
    bring(city, f"{CITY}-two", {"bank_account": [r | {"account_name": "x"} for r in CHANGED_ACCOUNT["bank_account"]]})
    assert receive(f"{CITY}-one", release_by="chief").status == "accepted"
    receipt = receive(f"{CITY}-two", release_by="chief")
    assert receipt.error is not None
    assert receipt.error["code"] == "reference_overlap"


def test_what_changes_an_account_is_shown_before_new_ones(city: Warehouse) -> None:
    codes = [f"H651100{number:05}" for number in range(100, 260)]
    tables = {
        "institution": [institution(code) for code in codes],
        "bank_account": [*(bank_account(code) for code in codes), *CHANGED_ACCOUNT["bank_account"]],
    }
    bring(city, f"{CITY}-many", tables)
    body = question(f"{CITY}-many").body
    assert NEW in body
    assert "62 more rows are not shown" in body


def test_no_number_of_new_institutions_hides_a_changed_account(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_data, "MOST_SHOWN", 1)
    codes = [f"H651100{number:05}" for number in range(100, 110)]
    tables = {"institution": [institution(code) for code in codes]} | CHANGED_ACCOUNT
    assert bring(city, f"{CITY}-new", tables).held_for == ("master_data",)
    assert "account" in question(f"{CITY}-new").body


def test_a_change_that_is_not_shown_is_part_of_what_is_released(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master_data, "MOST_SHOWN", 1)
    tables = {"bank_account": [*CHANGED_ACCOUNT["bank_account"], bank_account(UNREGISTERED)]}
    assert bring(city, f"{CITY}-two", tables).status == "held"
    bring(city, f"{CITY}-late", {"institution": [institution(UNREGISTERED)]})
    assert receive(f"{CITY}-two", release_by="chief", reason="one account").status == "held"


def test_who_delivered_a_batch_is_judged_whoever_has_it_received(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"province": ["650000", "651200"]}')
    rows = {"bank_account": [bank_account(HOSPITAL, valid_to="2026-11-25")]}
    write_batch(city.inbox, "650000-x", "reference", rows, area_code="650000")
    with city.connect("loader") as connection:
        record_delivery(connection, "650000-x", "province")
    assert receive("650000-x").reasons == {"R_AREA": 1}
    assert question("650000-x").caused_by == "province"


def test_an_account_of_one_area_changes_nothing_that_holds_for_all(
    city: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", f'{{"city": ["{CITY}"]}}')
    rows = {"trace_exempt": [{"med_list_codg": "XA01", "reason": "x", "valid_from": "2026-01-01", "valid_to": None}]}
    write_batch(city.inbox, f"{CITY}-exempt", "reference", rows, area_code=CITY)
    receipt = receive(f"{CITY}-exempt", received_by="city")
    assert receipt.error is not None
    assert receipt.error["code"] == "area_not_allowed"


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
