"""Texts on their way into a spreadsheet."""

import pytest

from settlement.spreadsheet import safe_text


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "-", "-1.0.0"]
)
def test_what_could_run_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text) == "'" + text


@pytest.mark.parametrize("text", ["", "某市第一人民医院", "1+1", "'=1", "-1.00", "+86", "62220000", "a=b"])
def test_what_cannot_run_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text
