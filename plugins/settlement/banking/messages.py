"""Read what a bank sends as ISO 20022 XML, without trusting it.

Nothing outside the file is ever fetched, a document type declaration is refused before anything in it can expand,
the number of bytes is bounded, and elements are dropped as soon as they are read, so memory does not grow with the
file. Rows are given as they are read: an error may come after the first of them, so a caller stores them in one
transaction.
"""

import hashlib
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
AMOUNT = re.compile(r"\+?([0-9]{1,16}(\.[0-9]{0,5})?|\.[0-9]{1,5})")
"""xs:decimal as ISO 20022 bounds it, with as many digits as the books hold; `.50` and `+1.00` are among it."""
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CTRL_Z = b"\x1a"
PLACEHOLDERS = frozenset(
    {
        "NONREF",
        "NOREF",
        "NOREFERENCE",
        "NOTPROVIDED",
        "NOTAVAILABLE",
        "NOTAPPLICABLE",
        "NOTKNOWN",
        "NONE",
        "NULL",
        "NIL",
        "NA",
        "UNKNOWN",
        "无",
        "空",
    }
)
"""Words that banks write where they have no reference: NOTPROVIDED is ISO 20022's, NONREF is SWIFT's of MT messages."""
FLAGS = {None: False, "false": False, "0": False, "true": True, "1": True}
NOT_ITS_ENCODING = (
    etree.ErrorTypes.ERR_INVALID_ENCODING,
    etree.ErrorTypes.ERR_UNKNOWN_ENCODING,
    etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING,
)


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
    """A stream that stops with an error after `max_bytes` and remembers whether its end was reached.

    Blanks before the XML declaration and the Ctrl-Z that some systems end a file with are left out: XML allows neither,
    and neither says anything.
    """

    def __init__(self, stream: BinaryIO, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes
        self._is_at_start = True
        self._held_back = b""
        self.at_end = False

    def read(self, size: int = -1) -> bytes:
        while True:
            data = self._read(size)
            if self._is_at_start and data:
                data = data.removeprefix(BYTE_ORDER_MARK).lstrip(b" \t\r\n")
                self._is_at_start = not data
            content = data.rstrip(CTRL_Z)
            if content:
                content, self._held_back = self._held_back + content, data[len(content) :]
                return content
            self._held_back += data
            if self.at_end:
                return b""

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        self.at_end = not data
        if self._left < 0:
            raise BankMessageError(
                "bank_message_too_large",
                "The file is larger than a bank message may be (文件超过银行报文的大小上限).",
                "Ask the bank to split it, or raise the limit (请银行拆分, 或提高上限).",
            )
        return data


def read_elements(
    stream: BinaryIO, message: Message, names: frozenset[str], *, max_bytes: int = MAX_BYTES
) -> Iterator[tuple[str, "Element"]]:
    """Give each complete element whose local name is in `names`, as (name, element), in document order.

    The element is only valid until the next one is asked for. Comments and processing instructions are left out, as XML
    has it: `17<!-- -->50.11` is 1750.11. Raises BankMessageError: `bank_message_not_xml`, `bank_message_encoding`,
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
            remove_comments=True,
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
        if error.code in NOT_ITS_ENCODING:
            raise BankMessageError(
                "bank_message_encoding",
                f"The bytes of the file are not in the encoding that it declares, at line {error.lineno}"
                f" (第 {error.lineno} 行字节与文件声明的编码不符, 未声明即为 UTF-8).",
                "Without a declaration XML is UTF-8. Ask the bank to declare what it writes, such as"
                ' <?xml version="1.0" encoding="GB18030"?>, or to write UTF-8 (请银行正确声明编码或改用 UTF-8).',
            ) from None
        if namespace is not None and bounded.at_end:
            raise BankMessageError(
                "bank_message_truncated",
                f"The file ends in the middle of the message, at line {error.lineno} (报文在第 {error.lineno} 行中断).",
                "Ask the bank to send it again; nothing of it was taken (请银行重发, 未接收任何内容).",
            ) from None
        raise BankMessageError(
            "bank_message_not_xml",
            f"The file is not well-formed XML, at line {error.lineno} (第 {error.lineno} 行不是格式正确的 XML).",
            "Check that the manifest names the right file and format (请核对清单中的文件与格式).",
        ) from None


@dataclass(frozen=True)
class Element:
    """One element of a message, read by the local names of its namespace."""

    node: "etree._Element"
    namespace: str

    @property
    def parent_name(self) -> str:
        """The local name of the parent; empty at the root or below a foreign element."""
        parent = self.node.getparent()
        return "" if parent is None else _local_name(parent, self.namespace)

    @property
    def parent(self) -> "Element | None":
        """The element around this one, with what stands before it and was not read yet."""
        parent = self.node.getparent()
        return None if parent is None else Element(parent, self.namespace)

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
            if found is not None and (text := found.own_text()):
                return text
        return None

    def texts(self, path: str) -> list[str]:
        """Give every text at `path`, without the blanks around it, in the order of the file."""
        found = self.node.iterfind(_qualified(path, self.namespace))
        return [text for node in found if (text := Element(node, self.namespace).own_text())]

    def reference(self, *paths: str) -> str | None:
        """Give the first text at `paths` that refers to something; see :func:`is_placeholder`."""
        texts = (self.text(path) for path in paths)
        return next((text for text in texts if text is not None and not is_placeholder(text)), None)

    def own_text(self) -> str:
        """Give the text of the element itself, without the blanks around it; none where it holds other elements."""
        return "" if len(self.node) else (self.node.text or "").strip()

    def digest(self) -> str:
        """Give what tells the content of the element from another's, whatever prefixes and blanks are in it."""
        content = hashlib.sha256()
        for node in self.node.iter():
            attributes = "\x1f".join(f"{name}={value}" for name, value in sorted(node.attrib.items()))
            name = _local_name(node, self.namespace)
            content.update(f"{name}\x1f{(node.text or '').strip()}\x1f{attributes}\x1e".encode())
        return content.hexdigest()[:32]

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


def is_placeholder(text: str) -> bool:
    """Say whether a reference refers to nothing: a word for *none*, or nothing but zeros and signs."""
    letters = "".join(character for character in text.upper() if character.isalnum())
    return not letters.strip("0") or letters in PLACEHOLDERS


def read_instant(text: str | None, where: str) -> datetime | None:
    """Read an instant, in Asia/Shanghai where it names no zone. Raises as :func:`read_day`."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(SHANGHAI) if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)
    except (ValueError, OverflowError):
        raise bad_value(where, "instant", text, "an instant such as 2026-03-02T17:00:00+08:00") from None


def read_flag(text: str | None, where: str) -> bool:
    """Read an indicator; one that is not given is false. Raises BankMessageError `bank_message_value_invalid`."""
    if text not in FLAGS:
        raise bad_value(where, "indicator", text, "true or false")
    return FLAGS[text]


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
    found = "is missing 缺失" if value is None else f"is {value[:80]!r}"
    return BankMessageError(
        "bank_message_value_invalid",
        f"{where}: the {field} {found} (报文中的值缺失或无法识别).",
        f"Wanted: {wanted}. Ask the bank to send it again (请银行更正后重发).",
    )


def _check_root(node: "etree._Element", message: Message) -> str:
    """Refuse a document type declaration and any other message; give the namespace. `node` is the first one met."""
    root = node.getroottree().getroot()
    if node.getroottree().docinfo.doctype:
        raise BankMessageError(
            "bank_message_unsafe",
            "The file declares a document type, through which XML can name other files or expand without end"
            " (文件含 DOCTYPE 声明).",
            "ISO 20022 messages have none; do not open this file and ask the bank where it comes from"
            " (请勿打开, 并向银行核实来源).",
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
        f"The file is no {message.name}: it holds {str(found)[:120]} (文件不是清单所称的报文).",
        f"Wanted: {message.name}.{message.versions[0]:02d} to .{message.versions[-1]:02d} in its namespace, without an"
        " envelope, and the format named in the manifest must be the message's (请核对报文种类、版本、命名空间与清单).",
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
