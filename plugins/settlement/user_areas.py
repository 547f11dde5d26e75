"""Which areas an account may see, deliver for and settle: data in SETTLEMENT_USER_AREAS.

It is written like ``{"hangzhou": ["330100"]}``; an account that is not named there may act on every area.
Codes are compared as they are: the code of a province or a prefecture stands for itself, not for what is below it.
A batch id carries its area in front, as in ``330100-20260302-0001``: so no area can take an id of another.
"""

import re

from settlement.account_settings import bound_to
from settlement.errors import SettlementError

EXAMPLE = '{"account": ["330100"]}'
AREA_OF_ID = re.compile(r"([0-9]{6})-")


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


def require_batch_id(account: str, batch_id: str) -> None:
    """Let an account that is bound to areas use ids of batches that begin with one of them, as in ``330100-…``.

    Asked before anything of a delivery is locked or stored, so that nobody holds an id that is another area's.

    Raises:
        SettlementError: ``batch_id_not_yours``.
    """
    areas = areas_of(account)
    if areas is not None and _area_of_id(batch_id) not in areas:
        raise SettlementError(
            "batch_id_not_yours",
            f"batch id {batch_id} does not begin with an area of {account} (批次号须以本统筹区代码开头)",
            f"begin it with its area and a hyphen, as in {areas[0] if areas else '330100'}-…; "
            f"areas of {account} (账号所属统筹区): {', '.join(areas) or 'none 无'}",
        )


def require_batch(account: str, batch_id: str, area_code: str | None, *, is_loaded: bool = True) -> None:
    """Let the account read a batch, or use its id again.

    A batch belongs to its area. Of a refused one nothing was loaded: its id belongs to the area it begins with,
    whoever used it wrongly before, so that the rightful sender can always deliver and read.

    Args:
        account: Who asks.
        batch_id: The batch.
        area_code: Its area, None where its manifest could not be read.
        is_loaded: False for a batch that was refused on arrival.

    Raises:
        SettlementError: ``area_not_allowed``.
    """
    require_area(account, area_code if is_loaded else _area_of_id(batch_id) or area_code)


def is_id_of(area_code: str, batch_id: str) -> bool:
    """Whether the batch id is the area's own: it begins with the area's code and a hyphen."""
    return _area_of_id(batch_id) == area_code


def _area_of_id(batch_id: str) -> str | None:
    found = AREA_OF_ID.match(batch_id)
    return found[1] if found else None
