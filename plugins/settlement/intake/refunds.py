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
    """Who a settlement is between, under which insurance type; of a delivered one a part may be unknown.

    The insurance type decides which pooled fund `hifp_pay` belongs to (30-rules.md §1.7), so another one has nothing of
    this settlement to give back.
    """

    fixmedins_code: str | None
    person_key: str | None
    insutype: str | None = None

    def differences(self, other: "Party") -> list[str]:
        """What is known of both and differs, in words."""
        found = []
        if _differ(self.fixmedins_code, other.fixmedins_code):
            found.append("原结算属于另一机构 the original is of another institution")
        if _differ(self.person_key, other.person_key):
            found.append("原结算属于另一人员 the original is of another person")
        if _differ(self.insutype, other.insutype):
            found.append(
                f"险种 insutype {self.insutype}，原结算 original {other.insutype}："
                "该险种无可退金额 nothing is left of that type"
            )
        return found


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


@dataclass(frozen=True)
class Decision:
    """What becomes of a refund; `cause` says in Chinese and English why it is refused, and is empty otherwise."""

    verdict: Verdict
    cause: str = ""


def decide(refunds: Iterable[Refund], originals: Mapping[str, Original]) -> list[Decision]:
    """Decide the refunds in the order given; what an accepted one takes back is not left for the next.

    Returns one decision each: ``accepted``; ``pending`` (the original is not accepted yet); ``refused`` (R_REFUND);
    ``broken`` (refused for other reasons, nothing to add).
    """
    return [_decide(refund, originals.get(refund.init_setl_id or "")) for refund in refunds]


def _decide(refund: Refund, original: Original | None) -> Decision:
    if original is None:
        return Decision("broken" if refund.is_broken or refund.init_setl_id is None else "pending")
    known = {fund: amount for fund in FUNDS if (amount := refund.amounts[fund]) is not None}
    causes = refund.party.differences(original.party)
    if original.is_refund:
        causes.append("原结算本身是退费 the original is itself a refund")
    if not causes:
        causes = [
            f"{fund}：剩余 left {original.left[fund]:.2f}，退 refunded {-amount:.2f}"
            for fund, amount in known.items()
            if original.left[fund] + amount < 0
        ]
    if causes:
        return Decision("refused", "; ".join(causes))
    if refund.is_broken:
        return Decision("broken")
    for fund, amount in known.items():
        original.left[fund] += amount
    return Decision("accepted")


def _differ(one: str | None, other: str | None) -> bool:
    """Whether both are known and not the same."""
    return one is not None and other is not None and one != other
