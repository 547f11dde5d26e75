"""The page of rules is generated from the suites."""

from settlement.gate.rules_page import rules_page
from settlement.gate.suites import folder


def test_the_page_is_current() -> None:
    written = (folder() / "rules.md").read_text(encoding="utf-8")
    assert written == rules_page(), "run: python -m settlement.gate.rules_page"
