"""Accounts bound to kinds of batches by SETTLEMENT_USER_KINDS."""

import json

import pytest

from settlement.contract.manifest import KINDS
from settlement.errors import SettlementError
from settlement.user_kinds import require_divided_duties, require_kind


@pytest.fixture(autouse=True)
def a_hospital_is_bound(monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", '{"hospital": ["settlement", "declaration"], "nobody": []}')


def test_a_bound_account_delivers_its_kinds():
    require_kind("hospital", "settlement")
    require_kind("hospital", "declaration")


@pytest.mark.parametrize("kind", ["reference", "review", "case_review", "bank_receipt", "clearing_bill"])
def test_a_bound_account_delivers_no_other_kind_and_is_told_its_own(kind):
    with pytest.raises(SettlementError, match=f"hospital may not deliver batches of kind {kind}") as refused:
        require_kind("hospital", kind)
    assert refused.value.code == "kind_not_allowed"
    assert "settlement, declaration" in refused.value.hint


def test_an_account_bound_to_nothing_delivers_nothing():
    with pytest.raises(SettlementError, match="may not deliver batches of kind settlement") as refused:
        require_kind("nobody", "settlement")
    assert "nothing" in refused.value.hint


def test_what_has_no_kind_yet_is_left_to_the_gate():
    require_kind("hospital", None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", ["", "{}", '{"hospital": ["settlement"]}'])
def test_an_account_that_is_not_named_delivers_nothing(monkeypatch, setting, kind):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", setting)
    with pytest.raises(SettlementError, match=f"province may not deliver batches of kind {kind}"):
        require_kind("province", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schedule_takes_every_kind(kind):
    require_kind("scheduler", kind)


@pytest.fixture
def duties(monkeypatch):
    kinds = {"bank": ["bank_receipt"], "agency": ["reference", "settlement"], "everything": KINDS}
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", json.dumps(kinds))


@pytest.mark.parametrize("account", ["bank", "everything"])
def test_who_brings_the_banks_answers_starts_no_payments(duties, account):
    with pytest.raises(SettlementError, match=f"{account} may deliver the bank's answers") as refused:
        require_divided_duties(account)
    assert refused.value.code == "duties_not_divided"


@pytest.mark.parametrize("account", ["agency", "scheduler", "unnamed"])
def test_who_brings_no_answers_of_the_bank_starts_payments(duties, account):
    require_divided_duties(account)


def test_an_account_may_be_named_that_does_both(duties, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_UNDIVIDED_ACCOUNTS", "admin, everything")
    require_divided_duties("everything")
    with pytest.raises(SettlementError, match="bank may deliver the bank's answers"):
        require_divided_duties("bank")


@pytest.mark.parametrize("setting", ["{", "[]", '{"hospital": "settlement"}'])
def test_a_setting_that_cannot_be_read_lets_nobody_deliver_whom_it_may_be_about(monkeypatch, setting):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", setting)
    with pytest.raises(SettlementError, match="SETTLEMENT_USER_KINDS is not a JSON object of lists"):
        require_kind("hospital", "settlement")


def test_a_kind_that_does_not_exist_is_named(monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", '{"hospital": ["settlements"]}')
    with pytest.raises(SettlementError, match="gives hospital settlements, which is no kind of batch"):
        require_kind("hospital", "settlement")
