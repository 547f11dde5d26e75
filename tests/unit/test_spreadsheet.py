"""Texts on their way into a spreadsheet."""

import pytest

from settlement.spreadsheet import safe_identifier, safe_text


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "-", "-1.0.0"]
)
def test_what_could_run_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text) == "'" + text


@pytest.mark.parametrize("text", ["", "某市第一人民医院", "1+1", "'=1", "-1.00", "+86", "62220000", "a=b"])
def test_what_cannot_run_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize("number", ["6265120000000001", "6265120000000009", "0" * 12, "0105331000024"])
def test_a_number_of_which_a_spreadsheet_keeps_some_digits_only_is_a_text(number: str) -> None:
    assert safe_identifier(number) == "'" + number


@pytest.mark.parametrize("number", ["626512000000001", "105331000024", "CN6265120000000001", ""])
def test_a_number_that_a_spreadsheet_keeps_stays_bare(number: str) -> None:
    assert safe_identifier(number) == number


def test_an_identifier_that_could_run_gets_an_apostrophe_like_any_text() -> None:
    assert safe_identifier("=1+1") == "'=1+1"
