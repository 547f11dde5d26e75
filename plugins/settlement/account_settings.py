"""Settings that bind accounts: a JSON object of account → what the account is bound to, in an environment variable."""

import json
import os
from typing import Any

from settlement.errors import SettlementError


def bound_to(setting: str, account: str, example: str) -> list[str] | None:
    """Give what the setting lists for the account; None where it does not name the account, which is then not bound.

    Raises:
        SettlementError: ``setting_invalid``, with the example: nobody may do anything until the setting is mended.
    """
    by_account = _read(setting, example)
    if account not in by_account:
        return None
    listed = by_account[account]
    if not isinstance(listed, list):
        raise _invalid(setting, example)
    return [str(each) for each in listed]


def _read(setting: str, example: str) -> dict[str, Any]:
    try:
        by_account = json.loads(os.environ.get(setting) or "{}")
    except ValueError:
        raise _invalid(setting, example) from None
    if not isinstance(by_account, dict):
        raise _invalid(setting, example)
    return by_account


def _invalid(setting: str, example: str) -> SettlementError:
    return SettlementError(
        "setting_invalid", f"{setting} is not a JSON object of lists", f"write it like {example}, and start again"
    )
