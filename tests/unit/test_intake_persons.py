"""Person keys: HMAC-SM3 exactly, and no key without a proper secret."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.errors import SettlementError
from settlement.intake.persons import person_key_function, person_secret


@given(st.binary(min_size=16, max_size=100), st.text())
def test_the_key_is_hmac_sm3_of_the_person_number(secret: bytes, psn_no: str) -> None:
    assert person_key_function(secret)(psn_no) == hmac.new(secret, psn_no.encode(), "sm3").hexdigest()


def test_the_key_of_a_known_person_never_changes() -> None:
    key = person_key_function(bytes.fromhex("5a" * 32))("33000000000000000001")
    assert key == hmac.new(b"\x5a" * 32, b"33000000000000000001", "sm3").hexdigest()
    assert len(key) == 64


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "person_key_missing"),
        ("", "person_key_missing"),
        ("xyz", "person_key_invalid"),
        ("5a" * 15, "person_key_invalid"),
    ],
)
def test_a_missing_or_weak_secret_is_refused(monkeypatch: pytest.MonkeyPatch, value: str | None, code: str) -> None:
    monkeypatch.delenv("SETTLEMENT_PERSON_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SETTLEMENT_PERSON_KEY", value)
    with pytest.raises(SettlementError) as refusal:
        person_secret()
    assert refusal.value.code == code
