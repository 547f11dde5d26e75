"""Read what a bank sends as ISO 20022 XML, without trusting it.

Nothing outside the file is ever fetched, a document type declaration is refused before anything in it can expand,
the number of bytes is bounded, and elements are dropped as soon as they are read, so memory does not grow with the
file. Rows are given as they are read: an error may come after the first of them, so a caller stores them in one
transaction.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import BinaryIO
from zoneinfo import ZoneInfo

from lxml import etree

from settlement.errors import SettlementError
from settlement.money import yuan

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_BYTES = 4 * 1024**3
AMOUNT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,5})?")
NO_REFERENCE = re.compile(r"NONREF|NONE|N/?A|NOT ?PROVIDED|NOT ?AVAILABLE|NOREF|0+|-+")
"""What banks write where a reference is demanded and they have none; NOTPROVIDED is ISO's own word."""
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")


class BankMessageError(SettlementError):
    """A bank file that cannot be read. The codes are listed in docs/runbook/record_receipts.md."""


@dataclass(frozen=True)
class Message:
    """A kind of message and the versions that are read alike."""

    name: str
    root: str
    versions: range

    def namespace_version(self, namespace: str) -> int | None:
        """Give the version that `namespace` stands for, or None if it is another message."""
        match = re.fullmatch(rf"urn:iso:std:iso:20022:tech:xsd:{re.escape(self.name)}\.([0-9]{{2}})", namespace)
        return int(match[1]) if match else None


class _BoundedStream:
    """A stream that stops with an error after `max_bytes` and remembers whether its end was reached."""

    def __init__(self, stream: BinaryIO, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes
        self.at_end = False

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        self.at_end = not data
        if self._left < 0:
            raise BankMessageError(
                "bank_message_too_large",
                "The file is larger than a bank message may be.",
                "Ask the bank to split it, or raise the limit.",
            )
        return data


def read_elements(
    stream: BinaryIO, message: Message, names: frozenset[str], *, max_bytes: int = MAX_BYTES
) -> Iterator[tuple[str, "Element"]]:
    """Give each complete element whose local name is in `names`, as (name, element), in document order.

    The element is only valid until the next one is asked for. Raises BankMessageError: `bank_message_not_xml`,
    `bank_message_truncated`, `bank_message_unsafe`, `bank_message_wrong_kind`, `bank_message_too_large`.
    """
    bounded = _BoundedStream(stream, max_bytes)
    namespace: str | None = None
    is_inside = False
    try:
        # huge_tree stays off: libxml2 then also limits depth and the length of one text.
        context = etree.iterparse(
            bounded,
            events=("start", "end"),
            tag=[f"{{*}}{name}" for name in ("Document", message.root, *names)],
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,  # a value goes on behind a comment in it
            remove_pis=True,
        )
        for event, node in context:
            if namespace is None:
                namespace = _check_root(node, message)
                continue
            name = _local_name(node, namespace)
            if name == message.root:
                is_inside = True
            elif not is_inside:
                raise _wrong_kind(message, node.tag)
            elif event == "end" and name in names:
                yield name, Element(node, namespace)
                _drop(node)
        if not is_inside:
            raise _wrong_kind(message, context.root.tag)
    except etree.XMLSyntaxError as error:
        if namespace is not None and bounded.at_end:
            raise BankMessageError(
                "bank_message_truncated",
                f"The file ends in the middle of the message, at line {error.lineno}.",
                "Ask the bank to send it again; nothing of it was taken.",
            ) from None
        raise BankMessageError(
            "bank_message_not_xml",
            f"The file is not well-formed XML: {error.msg}",
            "Check that the manifest names the right file and format.",
        ) from None


@dataclass(frozen=True)
class Element:
    """One element of a message, read by the local names of its namespace."""

    node: "etree._Element"
    namespace: str

    @property
    def parent(self) -> "Element | None":
        """The element around it, as far as it is read; None at the root."""
        node = self.node.getparent()
        return None if node is None else Element(node, self.namespace)

    @property
    def parent_name(self) -> str:
        """The local name of the parent; empty at the root or below a foreign element."""
        parent = self.node.getparent()
        return "" if parent is None else _local_name(parent, self.namespace)

    def find(self, path: str) -> "Element | None":
        """Give the first descendant at `path` (`Refs/EndToEndId`), or None."""
        node = self.node.find(_qualified(path, self.namespace))
        return None if node is None else Element(node, self.namespace)

    def find_all(self, name: str) -> "list[Element]":
        """Give every child called `name`."""
        return [Element(node, self.namespace) for node in self.node.iterchildren(f"{{{self.namespace}}}{name}")]

    def text(self, *paths: str) -> str | None:
        """Give the text at the first of `paths` that has some, without the blanks around it; else None."""
        for path in paths:
            found = self.find(path)
            if found is not None and (text := (found.node.text or "").strip()):
                return text
        return None

    def reference(self, *paths: str) -> str | None:
        """Give the text at the first of `paths` that has some, unless it only says that there is no reference."""
        text = self.text(*paths)
        return None if text and NO_REFERENCE.fullmatch(text.upper()) else text

    def own_text(self) -> str:
        """Give the text of the element itself, without the blanks around it."""
        return (self.node.text or "").strip()

    def attribute(self, name: str) -> str | None:
        """Give an attribute of the element itself."""
        value = self.node.get(name)
        return value if value is None else str(value)


def read_amount(element: Element, where: str) -> Decimal:
    """Read an amount in whole fen. Raises BankMessageError `bank_message_value_invalid`."""
    text = element.own_text()
    if not AMOUNT.fullmatch(text) or (amount := Decimal(text)) != yuan(amount):
        raise bad_value(where, "amount", text, "a number with at most two decimals")
    return yuan(amount)


def read_day(text: str, where: str) -> date:
    """Read a date, or the date in Asia/Shanghai of an instant. Raises BankMessageError `bank_message_value_invalid`."""
    try:
        if day := DAY.fullmatch(text):
            return date.fromisoformat(day[1])
        instant = datetime.fromisoformat(text)
        return (instant.astimezone(SHANGHAI) if instant.tzinfo else instant).date()
    except (ValueError, OverflowError):
        raise bad_value(where, "date", text, "a date such as 2026-03-02") from None


def bad_value(where: str, field: str, value: str | None, wanted: str) -> BankMessageError:
    """Say which value of a message cannot be read."""
    found = "is missing" if value is None else f"is {value[:80]!r}"
    return BankMessageError(
        "bank_message_value_invalid",
        f"{where}: the {field} {found}.",
        f"Wanted: {wanted}. Ask the bank to send it again.",
    )


def _check_root(node: "etree._Element", message: Message) -> str:
    """Refuse a document type declaration and any other message; give the namespace. `node` is the first one met."""
    root = node.getroottree().getroot()
    if node.getroottree().docinfo.doctype:
        raise BankMessageError(
            "bank_message_unsafe",
            "The file declares a document type, through which XML can name other files or expand without end.",
            "ISO 20022 messages have none; do not open this file and ask the bank where it comes from.",
        )
    tag = etree.QName(root)
    version = message.namespace_version(tag.namespace or "")
    if tag.localname != "Document" or version not in message.versions:
        raise _wrong_kind(message, root.tag)
    return tag.namespace or ""


def _wrong_kind(message: Message, found: object) -> BankMessageError:
    """Say which message was wanted and which one was found."""
    return BankMessageError(
        "bank_message_wrong_kind",
        f"The file is no {message.name}: it holds {str(found)[:120]}.",
        f"Wanted: {message.name}.{message.versions[0]:02d} to .{message.versions[-1]:02d}, "
        "and the format named in the manifest must be the message's.",
    )


@lru_cache(maxsize=256)
def _qualified(path: str, namespace: str) -> str:
    """Write a path of local names as lxml wants it."""
    return "/".join(f"{{{namespace}}}{name}" for name in path.split("/"))


def _local_name(node: "etree._Element", namespace: str) -> str:
    """Give the name inside `namespace`; empty for an element of another one."""
    prefix, _, name = str(node.tag).rpartition("}")
    return name if prefix[1:] == namespace else ""


def _drop(node: "etree._Element") -> None:
    """Forget an element that was read, keeping its place among its parent's children."""
    node.clear()
    parent = node.getparent()
    while parent is not None and node.getprevious() is not None:
        del parent[0]
