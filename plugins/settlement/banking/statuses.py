"""What the status codes of a payment mean, and which reasons say that the bank has the payment already.

Codes are those of ISO 20022's external code sets: ExternalPaymentTransactionStatus1Code and ExternalStatusReason1Code.
"""

from collections.abc import Sequence

REJECTED = "RJCT"
FAILED = (REJECTED, "CANC")
"""The bank will not make the payment."""
SETTLED = ("ACSC", "ACCC", "CPUC")
"""The bank says that it made the payment; only its booking proves it."""
WAITING = ("FUTR", "INFO", "PDNG", "RCVD")
"""The bank has not taken it on yet; FUTR and INFO are those of an entry that is not booked."""
UNDER_WAY = ("ACCP", "ACFC", "ACIS", "ACPD", "ACSP", "ACTC", "ACWC", "ACWP", "PATC", "PRES")
"""The bank has taken the payment on."""
PARTLY = "PART"
"""Of a group or block: some of its payments are accepted, so it says nothing of any one."""

DUPLICATE = ("AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL")
"""Reasons that refuse a payment or its message because the bank has it already: AM05 and DU01 to DU05, and DUPL, which
is meant for cancellations and used here too.
"""


def reason_that_counts(codes: Sequence[str]) -> str | None:
    """Give the first reason, but before it any that says the bank has the payment already: it then is not lost."""
    duplicates = [code for code in codes if code in DUPLICATE]
    return next(iter([*duplicates, *codes]), None)
