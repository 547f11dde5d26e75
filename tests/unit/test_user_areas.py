"""Accounts bound to areas by SETTLEMENT_USER_AREAS."""

import pytest

from settlement.errors import SettlementError
from settlement.user_areas import require_area, require_batch, require_batch_id, require_every_area


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


@pytest.mark.parametrize("batch_id", ["330100-20260302-0001", "330100-"])
def test_a_batch_id_begins_with_an_area_of_the_account(batch_id):
    require_batch_id("hangzhou", batch_id)


@pytest.mark.parametrize(
    "batch_id", ["330200-20260302-0001", "3301000-1", "330100", "330100_1", "x-330100-1", "reference", "330000-1"]
)
def test_a_bound_account_takes_no_batch_id_that_is_not_its_own(batch_id):
    with pytest.raises(
        SettlementError, match=f"batch id {batch_id} does not begin with an area of hangzhou"
    ) as refused:
        require_batch_id("hangzhou", batch_id)
    assert refused.value.code == "batch_id_not_yours"


def test_an_account_that_is_not_bound_uses_any_batch_id():
    require_batch_id("province", "reference")


def test_an_account_bound_to_no_area_at_all_uses_no_batch_id(monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"nobody": []}')
    with pytest.raises(SettlementError, match="begin with an area of nobody"):
        require_batch_id("nobody", "330100-1")


@pytest.mark.parametrize("area_code", ["330200", "330100", None])
def test_the_id_of_a_refused_batch_belongs_to_the_area_it_begins_with(area_code):
    require_batch("hangzhou", "330100-20260302-0001", area_code, is_loaded=False)
    with pytest.raises(SettlementError, match="may not act on area 330200"):
        require_batch("hangzhou", "330200-20260302-0001", area_code, is_loaded=False)


def test_a_refused_batch_whose_id_names_no_area_belongs_to_the_area_of_its_manifest():
    require_batch("hangzhou", "reference", "330100", is_loaded=False)
    require_batch("hangzhou", "reference", None, is_loaded=False)
    with pytest.raises(SettlementError, match="may not act on area 330200"):
        require_batch("hangzhou", "reference", "330200", is_loaded=False)


def test_a_batch_that_loaded_something_belongs_to_its_area_whatever_its_id():
    with pytest.raises(SettlementError, match="may not act on area 330200"):
        require_batch("hangzhou", "330100-20260302-0001", "330200")
