"""Which kinds of batches an account may deliver and have received: data in SETTLEMENT_USER_KINDS.

It is written like ``{"hospital_a": ["settlement", "declaration"]}``. An account that is not named there may deliver
nothing: whatever is delivered becomes money that is due, an account it goes to, or a bank's word that it was paid. What
a scheduled run takes was delivered by somebody, and is judged by that account's rights.

Nobody pays and says in the bank's name what became of it: an account that may deliver ``bank_receipt`` starts no
payments, unless SETTLEMENT_UNDIVIDED_ACCOUNTS names it.
"""

import os

from settlement.account_settings import bound_to
from settlement.callers import SCHEDULER
from settlement.contract.manifest import KINDS
from settlement.errors import SettlementError

SETTING = "SETTLEMENT_USER_KINDS"
UNDIVIDED = "SETTLEMENT_UNDIVIDED_ACCOUNTS"
EXAMPLE = '{"account": ["settlement", "declaration"]}'


def kinds_of(account: str) -> list[str]:
    """Give the kinds of the account, none where it is not named; the schedule takes every kind.

    Raises:
        SettlementError: ``setting_invalid``: nobody delivers anything until the setting is mended.
    """
    if account == SCHEDULER:
        return list(KINDS)
    kinds = bound_to(SETTING, account, EXAMPLE) or []
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise SettlementError(
            "setting_invalid",
            f"{SETTING} gives {account} {', '.join(unknown)}, which is no kind of batch",
            f"kinds are {', '.join(KINDS)}; write it like {EXAMPLE}, and start again",
        )
    return kinds


def require_kind(account: str, kind: str | None) -> None:
    """Let the account bring in the kind, or what has none yet because its manifest cannot be read.

    Raises:
        SettlementError: ``kind_not_allowed``.
    """
    kinds = kinds_of(account)
    if kind and kind not in kinds:
        raise SettlementError(
            "kind_not_allowed",
            f"{account} may not deliver batches of kind {kind} (账号无权送达此类批次)",
            f"let an account do it that may, or ask an administrator to add the kind to {SETTING}; "
            f"{account} may deliver (可送达): {', '.join(kinds) or 'nothing 无'}",
        )


def require_divided_duties(account: str) -> None:
    """Let the account start payments unless it may also say in the bank's name what became of them.

    Raises:
        SettlementError: ``duties_not_divided``.
    """
    listed = os.environ.get(UNDIVIDED, "").split(",")
    undivided = {name.strip() for name in listed} | {SCHEDULER}
    if account not in undivided and "bank_receipt" in kinds_of(account):
        raise SettlementError(
            "duties_not_divided",
            f"{account} may deliver the bank's answers and so starts no payments (回单送达与拨付发起须分岗)",
            f"let another account start it, or take bank_receipt from {account} in {SETTING}; "
            f"where one account must do both, name it in {UNDIVIDED}",
        )
