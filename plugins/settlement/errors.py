"""The one error people see: what went wrong, where, and how to mend it."""


class SettlementError(Exception):
    """A failure that a person can act on.

    Args:
        code: Stable snake_case name, e.g. ``control_mismatch``; written to receipts and API answers.
        message: What is wrong and where, with the offending value.
        hint: How to mend it.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"[{self.code}] {self.message}" + (f" — {self.hint}" if self.hint else "")
