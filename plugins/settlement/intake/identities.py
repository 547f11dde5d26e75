"""Keeps who a person is out of what is said about refused rows.

Columns that name a person are known by the contract. In a row whose columns are shifted or swapped, a name or a number
stands under another column; it is recognised there by what it equals in its own row, or by how it looks. What is left
out is replaced by its length, which is enough to find it in the sender's own file, whose line is named.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

from settlement.contract.tables import Column, Table
from settlement.gate import load_suite
from settlement.intake.receipts import storable
from settlement.invisible import names_of, shown, stripped, without_invisible

FORM_FAULTS = ("R_TYPE", "R_CODE", "R_DICT")
"""Codes of values that have not the form of their column."""
SHIFTED_WITH_PERSONS, SHIFTED_WITHOUT = 5, 3
"""From so many columns of another form on, a row counts as shifted: tables with columns that name persons have dozens
of columns, the others as few as four."""
LEAST_ALIKE, LEAST_INSIDE = 2, 4
"""A shorter value of a person's column tells nobody who it is about, and would hide flags and digits; from the second
number on it is looked for inside other values too."""
MOST = 200
"""Characters kept of a delivered text."""

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
NAME = re.compile(rf"[{HAN}]{{2,}}|[{HAN}]+[·•・．.][{HAN}·•・．.]+")
"""Two or more Chinese characters together. Coded columns have none; what they are told stands in the reason's text."""
NAME_IN_LETTERS = re.compile(r"[A-Za-z]{2,}([ .,'·-]+[A-Za-z]+)+")
IDENTITY_NUMBER = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])|(?<![0-9])[1-9][0-9]{14}(?![0-9])")
"""18 characters (GB 11643-1999) or 15 digits, as until 1999, whatever the check character: it may be mistyped."""
PHONE = re.compile(
    r"(?<![0-9A-Za-z])(\+?86[ -]?)?1[3-9][0-9]([ -]?[0-9]{4}){2}(?![0-9])|(?<![0-9])0[0-9]{2,3}-[0-9]{7,8}(?![0-9])"
)
LONG_NUMBER = re.compile(r"(?<![0-9.])[0-9]{16,}(?![0-9.])")
"""Numbers of persons, cards and accounts."""
CERTIFICATE = re.compile(r"(?<![0-9A-Za-z])[A-Z]{1,4}[0-9]{7,10}(?![0-9A-Za-z])")
"""Passports and permits. Codes of institutions and doctors have 11 and 12 digits behind their letter."""

BETWEEN = re.compile(rf"(?<=[{HAN}0-9])[ -]+(?=[{HAN}0-9Xx])")
"""Blanks and hyphens as people put them into a name or a number."""

PLAIN = re.compile(
    r"[+-]?[0-9]{1,10}(\.[0-9]{1,6})?|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?"
    r"|[A-Za-z0-9]{1,4}|[A-Z][0-9]{2}(\.[0-9A-Za-z]{1,8})?"
)
"""What a shifted row may show: amounts, dates, short codes and diagnoses."""


Reason = dict[str, Any]


def without_identity(
    table: Table, record_key: str, reasons: Sequence[Reason], persons: Sequence[str | None]
) -> tuple[str, list[Reason]]:
    """Give the key and the reasons of a refused row as they may be kept and shown.

    `persons` are the values that the row itself has for a person, as delivered.
    """
    known = [stripped(person) for person in persons if person]
    shifted = _is_shifted(table, reasons)
    is_masked = shifted or _is_identity(table, record_key, known)
    is_masked = is_masked or (_is_about_persons(table) and _has_foreign_letters(record_key))
    key = _mask(record_key) if is_masked else record_key
    return storable(shown(key), MOST), [_reason(table, reason, known, shifted=shifted) for reason in reasons]


def heading(name: str) -> str:
    """A column's name as delivered, or its length where it looks like a value: a file may have lost its header."""
    forms = (NAME, IDENTITY_NUMBER, PHONE, LONG_NUMBER, CERTIFICATE)
    return _mask(name) if any(form.search(name.upper()) for form in forms) else repr(shown(name)[:60])


def _is_shifted(table: Table, reasons: Sequence[Reason]) -> bool:
    """Whether so many values have not the form of their column that they stand under other columns."""
    faults = {reason["field"] for reason in reasons if reason["code"] in FORM_FAULTS and not reason["child"]}
    has_persons = any(column.is_identity for column in table.columns)
    return len(faults) >= (SHIFTED_WITH_PERSONS if has_persons else SHIFTED_WITHOUT)


def _reason(table: Table, reason: Reason, persons: Collection[str], *, shifted: bool) -> Reason:
    value, column = reason["value"], _column(table, reason["field"])
    if reason["child"] and (shifted or _is_identity(table, reason["child"], persons)):
        reason = reason | {"child": reason["child"].split(" ")[0]}
    if value is None:
        named = column and column.is_person and reason["code"] == "R_CODE" and persons
        return reason | {"value": _mask(next(iter(persons))) if named else None}
    if reason["code"] == "R_FORM" or _is_sum(table, reason):
        return reason | {"value": storable(value, MOST)}  # written here, from counts and amounts
    is_masked = shifted and not PLAIN.fullmatch(value)
    is_masked = is_masked or _is_identity(table, value, persons)
    if column and column.kind in ("code", "flag", "icd") and _is_about_persons(table):
        is_masked = is_masked or _has_foreign_letters(value)
    if column is None or not column.is_id:
        is_masked = is_masked or _looks_like_papers(table, value)
    return reason | {"value": storable(_mask(value) if is_masked else shown(value), MOST)}


def _is_sum(table: Table, reason: Reason) -> bool:
    """Whether the value is both sides of a sum, as its rule has them."""
    return any(rule.sides and rule.rule_id == reason["rule"] for rule in load_suite(table.name).rules)


def _column(table: Table, name: str | None) -> Column | None:
    """The column a reason is about; that of a child of a document is not among the table's own."""
    return next((column for column in table.columns if column.name == name), None)


def _is_identity(table: Table, value: str, persons: Collection[str]) -> bool:
    """Whether a value is one of the row's own person, or looks like somebody's number or name."""
    if any(
        person == value or (len(person) >= LEAST_INSIDE and person in value)
        for person in persons
        if len(person) >= LEAST_ALIKE
    ):
        return True
    forms = (IDENTITY_NUMBER, PHONE, LONG_NUMBER, *((NAME,) if _is_about_persons(table) else ()))
    return any(form.search(text) for form in forms for text in (value, _folded(value)))


def _folded(value: str) -> str:
    """A value without what hides a name or a number from a pattern: full-width forms, and what stands in between."""
    plain = without_invisible(unicodedata.normalize("NFKC", value))
    return BETWEEN.sub("", plain)


def _has_foreign_letters(value: str) -> bool:
    """Whether a letter of another script than ASCII stands in it: no code has one, and a name may."""
    return any(character.isalpha() and not character.isascii() for character in value)


def _looks_like_papers(table: Table, value: str) -> bool:
    """Whether a value that is no id may be the number of a paper, or a name in letters."""
    return _is_about_persons(table) and bool(CERTIFICATE.search(value) or NAME_IN_LETTERS.fullmatch(value))


def _is_about_persons(table: Table) -> bool:
    return table.kind != "reference" or any(column.is_identity for column in table.columns)


def _mask(value: str) -> str:
    """What stands in place of a value: how long it is, and which characters in it nobody sees."""
    hidden = "".join(names_of(value))
    return f"⟨{len(value)} characters masked 已屏蔽{f'，含 with {hidden}' if hidden else ''}⟩"
