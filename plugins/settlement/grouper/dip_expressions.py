"""A DIP catalogue's expressions taken apart into rows that can be joined.

Diagnoses: `|` or `/` between alternatives, `C00-C75` a range of categories, `+` before secondary ones, `*` any.
Operations: `|` or `/` between alternatives, `+` between what must all be there, the main operation first.
"""

import re
from collections.abc import Iterator

from settlement.grouper.reading import Row

RANGE = re.compile(r"([A-Z])(\d\d)-([A-Z])(\d\d)")
WEIGHTS = re.compile(r"(\d+)-(\d*)|<(\d+)|>=?(\d+)")


def diagnosis_rows(group: Row) -> Iterator[Row]:
    """Rows of `dip_group_diagnosis`: role and key. None for a group of any diagnosis."""
    main, _, secondary = str(group["dx"]).partition("+")
    if main == "*":
        return
    for role, text in (("main", main), ("secondary", secondary)):
        for key in dict.fromkeys(key for term in _alternatives(text) for key in _keys(term)):
            yield {"group_id": group["group_id"], "role": role, "dx_key": key}


def operation_rows(group: Row) -> Iterator[Row]:
    """Rows of `dip_group_operation`: for every alternative of the main operation its related terms as well."""
    if group["stage"] in ("MIXED", "PRE_BIRTH"):
        return
    related = _terms(group["related_op_or_weight"])
    for number, alternative in enumerate(_alternatives(group["main_op_or_property"]), 1):
        main, *others = [part.strip() for part in alternative.split("+")]
        terms = [[main], *([other] for other in others), *related]
        for term, codes in enumerate(terms):
            for code in codes:
                yield {"group_id": group["group_id"], "alternative": str(number), "term": str(term), "op_code": code}


def weight_range(text: str | None) -> str | None:
    """Write a newborn's weights as `from-to`, both inclusive, `to` empty where open. None where it is no such range."""
    found = WEIGHTS.fullmatch((text or "").replace(" ", ""))
    if not found:
        return None
    low, high, below, least = found.groups()
    if below:
        return f"0-{int(below) - 1}"
    return f"{least}-" if least else f"{low}-{high}"


def _terms(text: str | None) -> list[list[str]]:
    return [_alternatives(term) for term in (text or "").split("+") if term.strip()]


def _alternatives(text: str | None) -> list[str]:
    return [part.strip() for part in re.split(r"[|/]", text or "") if part.strip()]


def _keys(term: str) -> Iterator[str]:
    found = RANGE.fullmatch(term)
    if not found:
        yield term
        return
    first, start, last, end = found.groups()
    for letter in map(chr, range(ord(first), ord(last) + 1)):
        low = int(start) if letter == first else 0
        high = int(end) if letter == last else 99
        yield from (f"{letter}{number:02}" for number in range(low, high + 1))
