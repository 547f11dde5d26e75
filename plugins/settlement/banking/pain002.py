"""Read `pain.002`, the bank's report on the payments it was sent.

The status of a transaction decides about its payment; where it has none, its block's stands for it, and the group's
where the block has none. PART says nothing of any one payment. A block, or a group without refused blocks, that is
refused as a whole also gives one row without an `end_to_end_id`, which refuses what it does not list of
`original_message_id` (a file of ours holds one block, which has the identifier of the message).
A report that lists no transaction and rejects nothing gives no row, because it moves no money.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from settlement.banking.messages import MAX_BYTES, Element, Message, read_elements
from settlement.banking.statuses import DUPLICATE, FAILED, PARTLY, reason_that_counts

PAIN_002 = Message("pain.002.001", "CstmrPmtStsRpt", range(3, 15))
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
        """Whether this row refuses every payment of the original message that is not listed."""
        return self.end_to_end_id is None and self.status in FAILED

    @property
    def refuses_duplicate(self) -> bool:
        """Whether the bank refuses it because it has it already."""
        return self.status in FAILED and self.reason_code in DUPLICATE


@dataclass(frozen=True)
class _Level:
    """A status with the codes of its reasons, as a transaction, a block or the group gives them."""

    status: str | None = None
    reasons: tuple[str, ...] = ()
    text: str | None = None

    @property
    def speaks_of_each(self) -> bool:
        """Whether it says something of every payment below it; PART says nothing of any one."""
        return self.status not in (None, PARTLY)


SILENT = _Level()


def parse_pain002(stream: BinaryIO, *, max_bytes: int = MAX_BYTES) -> Iterator[TransactionStatus]:
    """Give one row a transaction, in the order of the file. Raises BankMessageError (see `read_elements`)."""
    message_id: str | None = None
    original_id: str | None = None
    group = SILENT
    block: _Level | None = None  # None until something of the block is read
    of_block: set[str | None] = set()
    of_message: set[str | None] = set()
    is_block_refused = has_duplicate = False

    for name, element in read_elements(stream, PAIN_002, NAMES, max_bytes=max_bytes):
        match name:
            case "GrpHdr":
                message_id = element.text("MsgId")
            case "OrgnlGrpInfAndSts":
                original_id = element.reference("OrgnlMsgId")
                group = _level(element, "GrpSts")
            case "TxInfAndSts":
                if block is None:  # what stands before the first transaction is dropped together with it
                    block = _level(element.parent, "PmtInfSts") if element.parent else SILENT
                row = _row(_level(element, "TxSts"), [block, group], message_id, original_id)
                # A transaction that names no payment must not be taken for the row that stands for all of them.
                yield replace(row, end_to_end_id=element.reference("OrgnlEndToEndId") or NOT_PROVIDED)
                of_block.add(row.status)
                of_message.add(row.status)
                has_duplicate |= row.refuses_duplicate
            case "OrgnlPmtInfAndSts":
                whole = _level(element, "PmtInfSts") if block is None else block
                refused_id = element.reference("OrgnlPmtInfId") or original_id
                if whole.status in FAILED:
                    is_block_refused = True
                    yield _of_rest(_row(whole, [group], message_id, refused_id), of_block, has_duplicate)
                block, of_block = None, set()

    if group.status in FAILED and not is_block_refused:
        yield _of_rest(_row(group, [], message_id, original_id), of_message, has_duplicate)


def _of_rest(row: TransactionStatus, listed: set[str | None], has_duplicate: bool) -> TransactionStatus:
    """Give the row that refuses what is not listed one by one.

    Where a payment that is listed was not refused, the report contradicts itself; where one was refused because the
    bank has it already, the bank may have the others too. The row then names no payment, moves nothing, and calls for
    a person.
    """
    agrees = all(status in FAILED for status in listed) and (row.refuses_duplicate or not has_duplicate)
    return replace(row, end_to_end_id=None if agrees else NOT_PROVIDED, is_of_transaction=False)


def _level(element: Element, status_name: str) -> _Level:
    """Read the status and all its reasons at one level; several texts are joined by a blank."""
    reasons: list[str] = []
    texts: list[str] = []
    for information in element.find_all("StsRsnInf"):
        reasons += filter(None, [information.text("Rsn/Cd", "Rsn/Prtry")])
        texts += [text.own_text() for text in information.find_all("AddtlInf")]
    return _Level(element.text(status_name), tuple(reasons), " ".join(filter(None, texts)) or None)


def _row(own: _Level, above: list[_Level], message_id: str | None, original_id: str | None) -> TransactionStatus:
    """Give a row with the status of the nearest level that speaks of each payment, and with its reason.

    Levels above that say the same add their reasons: a group refused as a duplicate says so only once.
    """
    status = next((level.status for level in [own, *above] if level.speaks_of_each), None)
    reasons = [*own.reasons, *(reason for level in above if level.status == status for reason in level.reasons)]
    return TransactionStatus(
        end_to_end_id=None,
        status=status,
        reason_code=reason_that_counts(reasons) if status in FAILED else next(iter(own.reasons), None),
        reason_text=own.text,
        message_id=message_id,
        original_message_id=original_id,
    )
