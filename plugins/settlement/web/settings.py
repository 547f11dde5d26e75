"""Settings of the status API: whole numbers in environment variables, each with a default."""

import os

from settlement.errors import SettlementError


def whole_number(variable: str, default: int) -> int:
    """Read a setting.

    Raises:
        SettlementError: ``setting_invalid`` when it is not a whole number above zero.
    """
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettlementError(
            "setting_invalid",
            f"{variable} is {text!r}, not a whole number above zero (设置不是正整数)",
            f"unset it to use {default} (取消设置则用默认值)",
        )
    return int(text)
