"""Cells that a spreadsheet program shows and never runs.

Names and texts come from outside. Excel and its kin take a cell that begins with `=`, `+`, `-`, `@`, tab or return
as a formula, so such a text gets an apostrophe in front on its way out; what is stored stays as it came. A plain number
such as -1.00 is no formula and stays a number.
"""

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms, which some programs convert while opening."""

PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

DIGITS_KEPT = 15
"""Of a number a spreadsheet keeps so many digits; the others become noughts, and leading noughts go."""


def safe_text(text: str) -> str:
    """Give `text` so that a spreadsheet shows it and runs nothing."""
    if text.startswith(FORMULA_STARTS) and not PLAIN_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def safe_identifier(text: str) -> str:
    """Give an account number, or another name made of digits, so that a spreadsheet keeps every digit of it.

    One that a number would hold as it is stays bare; any other gets the apostrophe that makes it a text.
    """
    is_number = text.isascii() and text.isdigit()
    if is_number and (len(text) > DIGITS_KEPT or text.startswith("0")):
        return f"'{text}"
    return safe_text(text)
