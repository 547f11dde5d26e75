"""Cells that a spreadsheet program shows and never runs.

Names and texts come from outside. Excel and its kin take a cell that begins with `=`, `+`, `-`, `@`, tab or return
as a formula, so such a text gets an apostrophe in front on its way out; what is stored stays as it came.
"""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms, which some programs convert while opening."""


def safe_text(text: str) -> str:
    """Give `text` so that a spreadsheet shows it as text. Never for amounts: -1.00 is a number."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
