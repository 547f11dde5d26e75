"""The bank's entries that are recorded, so that one that comes again with its transactions is booked once (整笔与明细).

An entry may come first as a whole, or without the payments it is about, and later under the same reference with them.
Each transaction then takes its part out of suspense; the account goes down once.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from settlement.banking.answers import Answer, BookingKey, Meaning
from settlement.statements import statement

PACKAGE = "settlement.banking"
BOOKED_OUTCOMES = ("paid", "returned", "unknown", "not_expected")
"""Outcomes of a booked movement that the books hold, as a payment or in suspense."""


@dataclass
class _Nameless:
    """A movement in suspense of which no payment is known; `unexplained` is signed, a credit negative."""

    bank_entry_id: UUID
    is_detail: bool
    unexplained: Decimal

    def has(self, amount: Decimal) -> bool:
        """Whether a transaction of this amount may be a part of it."""
        return (amount > 0) == (self.unexplained > 0) and abs(amount) <= abs(self.unexplained)


@dataclass
class Bookings:
    """The entries that a batch speaks of, as they are recorded; amounts are signed, a credit negative."""

    nameless: dict[BookingKey, list[_Nameless]] = field(default_factory=dict)
    told: dict[BookingKey, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """What the recorded transactions of an entry come to."""

    def tells(self, answer: Answer) -> bool:
        """Whether no payment is known for the answer, and its entry is recorded with its transactions already."""
        key = answer.booking
        if key is None or key not in self.told or not answer.is_nameless:
            return False
        return not answer.is_detail or abs(self.told[key]) >= (key.amount or 0)

    def take(self, answer: Answer, meaning: Meaning) -> UUID | None:
        """Remember a booked answer; give the movement in suspense that it is a part of, if it is one."""
        key = answer.booking
        if key is None or meaning.outcome == "held":
            return None
        explained = self._part_of(answer, key) if meaning.outcome in BOOKED_OUTCOMES else None
        if explained:
            explained.unexplained -= answer.signed_amount
        if answer.is_detail:
            self.told[key] += answer.signed_amount
        if answer.is_nameless and meaning.outcome in BOOKED_OUTCOMES:
            self._stands(key, answer.bank_entry_id, answer.is_detail, answer.signed_amount)
        return explained.bank_entry_id if explained else None

    def _part_of(self, answer: Answer, key: BookingKey) -> _Nameless | None:
        """Give the movement of exactly its amount before one that has more; a nameless one is part of a whole."""
        candidates = [
            candidate
            for candidate in self.nameless.get(key, [])
            if candidate.has(answer.signed_amount) and not (answer.is_nameless and candidate.is_detail)
        ]
        candidates.sort(key=lambda candidate: candidate.unexplained != answer.signed_amount)
        return candidates[0] if candidates else None

    def _stands(self, key: BookingKey, bank_entry_id: UUID, is_detail: bool, unexplained: Decimal) -> None:
        self.nameless.setdefault(key, []).append(_Nameless(bank_entry_id, is_detail, unexplained))

    @classmethod
    def recorded(cls, connection: psycopg.Connection[Any], area_code: str, answers: Sequence[Answer]) -> "Bookings":
        """Read what is recorded of the entries that these answers are, or are transactions of."""
        references = list({answer.booking_reference for answer in answers if answer.booking})
        bookings = cls()
        rows = connection.execute(
            statement(PACKAGE, "bookings"), {"area_code": area_code, "references": references}
        ).fetchall()
        for bank_entry_id, *parts, is_detail, is_nameless, amount, unexplained in rows:
            key = BookingKey(*parts)
            if is_detail:
                bookings.told[key] += amount
            if is_nameless:
                bookings._stands(key, bank_entry_id, is_detail, unexplained)
        return bookings
