"""Which areas an account may see, deliver for and settle: data in SETTLEMENT_USER_AREAS.

It is written like ``{"hangzhou": ["330100"]}``; an account that is not named there may act on every area.
Codes are compared as they are: the code of a province or a prefecture stands for itself, not for what is below it.
"""

from settlement.account_settings import bound_to
from settlement.errors import SettlementError

EXAMPLE = '{"account": ["330100"]}'


def areas_of(account: str) -> list[str] | None:
    """Give the areas of the account, None for all of them.

    Raises:
        SettlementError: ``setting_invalid``: nobody sees anything until the setting is mended.
    """
    return bound_to("SETTLEMENT_USER_AREAS", account, EXAMPLE)


def require_area(account: str, area_code: str | None) -> None:
    """Let the account act on the area, or on what has none yet because its manifest cannot be read.

    Raises:
        SettlementError: ``area_not_allowed``.
    """
    areas = areas_of(account)
    if area_code and areas is not None and area_code not in areas:
        raise SettlementError(
            "area_not_allowed", f"{account} may not act on area {area_code}", "ask an administrator for the area"
        )


def require_every_area(account: str) -> None:
    """Let the account act on all areas at once.

    Raises:
        SettlementError: ``area_not_allowed``.
    """
    areas = areas_of(account)
    if areas is not None:
        raise SettlementError(
            "area_not_allowed",
            f"{account} may not act on every area",
            f"name one of its areas, or a batch of one: {', '.join(areas) or 'it has none'}",
        )
