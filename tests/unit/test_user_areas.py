"""Accounts bound to areas by SETTLEMENT_USER_AREAS."""

import pytest

from settlement.errors import SettlementError
from settlement.user_areas import require_area, require_every_area


@pytest.fixture(autouse=True)
def hangzhou_is_bound(monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"hangzhou": ["330100"]}')


def test_a_bound_account_acts_on_its_own_area():
    require_area("hangzhou", "330100")


def test_a_bound_account_does_not_act_on_another_area():
    with pytest.raises(SettlementError, match="may not act on area 330200"):
        require_area("hangzhou", "330200")


def test_a_bound_account_does_not_act_on_every_area_and_is_told_its_own():
    with pytest.raises(SettlementError) as refused:
        require_every_area("hangzhou")
    assert refused.value.code == "area_not_allowed"
    assert "330100" in refused.value.hint


def test_an_account_that_is_not_named_acts_on_every_area():
    require_area("province", "330200")
    require_every_area("province")


def test_a_setting_that_cannot_be_read_lets_nobody_act(monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"hangzhou": "330100"')
    with pytest.raises(SettlementError, match="not a JSON object"):
        require_every_area("province")
