"""Read `pain.002`, the bank's report on the payments it was sent.

The status of each transaction decides, never the one of the group: a group may say "partly accepted" for three
rejections among a hundred payments. One case has no transactions to decide: a group or payment block that is
rejected as a whole. It gives one row without an `end_to_end_id`, which rejects every payment of `original_message_id`
(a file of ours holds one block, which has the identifier of the message).
A report that lists no transaction and rejects nothing gives no row, because it moves no money.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from settlement.banking.messages import MAX_BYTES, Element, Message, read_elements

PAIN_002 = Message("pain.002.001", "CstmrPmtStsRpt", range(3, 15))
REJECTED = "RJCT"
NOT_PROVIDED = "NOTPROVIDED"
NAMES = frozenset({"GrpHdr", "OrgnlGrpInfAndSts", "TxInfAndSts", "OrgnlPmtInfAndSts"})


@dataclass(frozen=True)
class TransactionStatus:
    """What the bank says of one payment, or of all payments of a message when `end_to_end_id` is None.

    A transaction that names no payment has NOTPROVIDED, ISO's own word for it, and decides nothing.

    `status` is the ISO code (ACSC and ACCC done, PDNG waiting, RJCT rejected, …), None where the bank gave none;
    `reason_code` is the ISO code or the bank's own; `message_id` is the report's, `original_message_id` the file's
    it reports on.
    """

    end_to_end_id: str | None
    status: str | None
    reason_code: str | None
    reason_text: str | None
    message_id: str | None
    original_message_id: str | None
    is_of_transaction: bool = True
    """False for the row that a group or payment block gives: it is no transaction of the report."""

    @property
    def is_for_whole_message(self) -> bool:
        """Whether this row rejects every payment of the original message."""
        return self.end_to_end_id is None and self.status == REJECTED


def parse_pain002(stream: BinaryIO, *, max_bytes: int = MAX_BYTES) -> Iterator[TransactionStatus]:
    """Give one row a transaction, in the order of the file. Raises BankMessageError (see `read_elements`)."""
    message_id: str | None = None
    original_id: str | None = None
    group_rejection: TransactionStatus | None = None
    block_has_transactions = False
    anything_listed = False

    for name, element in read_elements(stream, PAIN_002, NAMES, max_bytes=max_bytes):
        match name:
            case "GrpHdr":
                message_id = element.text("MsgId")
            case "OrgnlGrpInfAndSts":
                original_id = element.text("OrgnlMsgId")
                group_rejection = _rejection_of_all(element, "GrpSts", message_id, original_id)
            case "TxInfAndSts":
                block_has_transactions = anything_listed = True
                # A transaction that names no payment must not be taken for the row that stands for all of them.
                end_to_end_id = element.text("OrgnlEndToEndId") or NOT_PROVIDED
                row = _row(element, "TxSts", message_id, original_id, end_to_end_id)
                yield _with_reason_of(group_rejection, row)
            case "OrgnlPmtInfAndSts":
                block_id = element.text("OrgnlPmtInfId")
                rejected_id = original_id if block_id in (None, NOT_PROVIDED) else block_id
                rejection = _rejection_of_all(element, "PmtInfSts", message_id, rejected_id)
                if rejection is not None and not block_has_transactions:
                    anything_listed = True
                    yield _with_reason_of(group_rejection, rejection)
                block_has_transactions = False

    if group_rejection is not None and not anything_listed:
        yield group_rejection


def _rejection_of_all(
    element: Element, status_name: str, message_id: str | None, original_id: str | None
) -> TransactionStatus | None:
    """Give the row that rejects everything, if the group or block says so."""
    row = replace(_row(element, status_name, message_id, original_id, None), is_of_transaction=False)
    return row if row.status == REJECTED else None


def _with_reason_of(group_rejection: TransactionStatus | None, row: TransactionStatus) -> TransactionStatus:
    """Let a rejection without a reason have its group's: a group refused as a duplicate says it only once."""
    if group_rejection is None or row.status != REJECTED or row.reason_code:
        return row
    return replace(row, reason_code=group_rejection.reason_code)


def _row(
    element: Element, status_name: str, message_id: str | None, original_id: str | None, end_to_end_id: str | None
) -> TransactionStatus:
    """Read the status and its reasons at one level; several texts are joined by a blank."""
    texts = [
        text.own_text() for information in element.find_all("StsRsnInf") for text in information.find_all("AddtlInf")
    ]
    return TransactionStatus(
        end_to_end_id=end_to_end_id,
        status=element.text(status_name),
        reason_code=element.text("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry"),
        reason_text=" ".join(filter(None, texts)) or None,
        message_id=message_id,
        original_message_id=original_id,
    )
