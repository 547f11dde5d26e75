"""Accounts bound to kinds of batches by SETTLEMENT_USER_KINDS."""

import pytest

from settlement.errors import SettlementError
from settlement.user_kinds import kinds_of, require_kind


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
    with pytest.raises(SettlementError, match="may deliver: nothing"):
        require_kind("nobody", "settlement")


def test_what_has_no_kind_yet_is_left_to_the_gate():
    require_kind("hospital", None)


def test_an_account_that_is_not_named_delivers_every_kind():
    assert kinds_of("province") is None
    require_kind("province", "reference")


@pytest.mark.parametrize("setting", ["{", "[]", '{"hospital": "settlement"}'])
def test_a_setting_that_cannot_be_read_lets_nobody_deliver_whom_it_may_be_about(monkeypatch, setting):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", setting)
    with pytest.raises(SettlementError, match="SETTLEMENT_USER_KINDS is not a JSON object of lists"):
        require_kind("hospital", "settlement")


def test_a_kind_that_does_not_exist_is_named(monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", '{"hospital": ["settlements"]}')
    with pytest.raises(SettlementError, match="gives hospital settlements, which is no kind of batch"):
        require_kind("hospital", "settlement")
