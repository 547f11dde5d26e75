"""Which kinds of batches an account may deliver and have received: data in SETTLEMENT_USER_KINDS.

It is written like ``{"hospital_a": ["settlement", "declaration"]}``; an account that is not named there may deliver
every kind.
"""

from settlement.account_settings import bound_to
from settlement.contract.manifest import KINDS
from settlement.errors import SettlementError

SETTING = "SETTLEMENT_USER_KINDS"
EXAMPLE = '{"account": ["settlement", "declaration"]}'


def kinds_of(account: str) -> list[str] | None:
    """Give the kinds of the account, None for every kind.

    Raises:
        SettlementError: ``setting_invalid``: nobody delivers anything until the setting is mended.
    """
    kinds = bound_to(SETTING, account, EXAMPLE)
    unknown = sorted(set(kinds or ()) - set(KINDS))
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
    if kind and kinds is not None and kind not in kinds:
        raise SettlementError(
            "kind_not_allowed",
            f"{account} may not deliver batches of kind {kind}",
            f"let an account do it that may, or ask an administrator to add the kind to {SETTING}; "
            f"{account} may deliver: {', '.join(kinds) or 'nothing'}",
        )
