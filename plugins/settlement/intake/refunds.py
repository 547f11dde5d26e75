"""Refunds: may this one be accepted, must it wait for its original, or does it take back more than is left?

Pure: the caller brings rows and originals, this module decides in order of arrival, fund by fund.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

FUNDS = (
    "hifp_pay",
    "cvlserv_pay",
    "hifes_pay",
    "hifmi_pay",
    "hifob_pay",
    "hifdm_pay",
    "maf_pay",
    "oth_pay",
    "acct_pay",
)
"""What is booked and paid by fund; the personal account is booked like one."""

Verdict = Literal["accepted", "pending", "refused", "broken"]


@dataclass(frozen=True)
class Party:
    """Who a settlement is between; of a delivered one a part may be unknown."""

    fixmedins_code: str | None
    person_key: str | None

    def is_other(self, other: "Party") -> bool:
        """True when a part that is known of both differs."""
        pairs = ((self.fixmedins_code, other.fixmedins_code), (self.person_key, other.person_key))
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)


@dataclass
class Original:
    """A settlement that may be refunded. `left` is what no refund has taken back yet, by fund, in yuan."""

    party: Party
    is_refund: bool
    left: dict[str, Decimal]


@dataclass(frozen=True)
class Refund:
    """A delivered refund; its amounts are negative or zero, None where unknown.

    `is_broken`: it is refused for another reason already, as it is whenever something about it is unknown.
    """

    init_setl_id: str | None
    party: Party
    amounts: Mapping[str, Decimal | None]
    is_broken: bool = False


def decide(refunds: Iterable[Refund], originals: Mapping[str, Original]) -> list[Verdict]:
    """Decide the refunds in the order given; what an accepted one takes back is not left for the next.

    Returns one verdict each: ``accepted``; ``pending`` (the original is not accepted yet); ``refused`` (R_REFUND);
    ``broken`` (refused for other reasons, nothing to add).
    """
    return [_decide(refund, originals.get(refund.init_setl_id or "")) for refund in refunds]


def _decide(refund: Refund, original: Original | None) -> Verdict:
    if original is None:
        return "broken" if refund.is_broken or refund.init_setl_id is None else "pending"
    known = {fund: amount for fund in FUNDS if (amount := refund.amounts[fund]) is not None}
    left = {fund: original.left[fund] + amount for fund, amount in known.items()}
    if original.is_refund or refund.party.is_other(original.party) or any(amount < 0 for amount in left.values()):
        return "refused"
    if refund.is_broken:
        return "broken"
    original.left.update(left)
    return "accepted"
