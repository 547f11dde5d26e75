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
    """Who a settlement is between."""

    fixmedins_code: str
    person_key: str


@dataclass
class Original:
    """A settlement that may be refunded. `left` is what no refund has taken back yet, by fund, in yuan."""

    party: Party
    is_refund: bool
    left: dict[str, Decimal]


@dataclass(frozen=True)
class Refund:
    """A delivered refund; its amounts are negative or zero. `is_broken`: it is refused for another reason already."""

    init_setl_id: str | None
    party: Party
    amounts: Mapping[str, Decimal]
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
    left = {fund: original.left[fund] + refund.amounts[fund] for fund in FUNDS}
    if original.is_refund or refund.party != original.party or min(left.values()) < 0:
        return "refused"
    if refund.is_broken:
        return "broken"
    original.left.update(left)
    return "accepted"
