"""Reading a multipart body as it arrives: no part is ever held whole, neither in memory nor in a temporary file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from settlement.errors import SettlementError

HINT = "send multipart/form-data as 'curl --form' does (请按 multipart/form-data 发送)"


@dataclass(frozen=True)
class PartStart:
    """The head of a part: the form field's name, and the file name, empty where none is given."""

    field: str
    file_name: str


@dataclass(frozen=True)
class PartEnd:
    """The end of the part begun last."""


async def read_parts(content_type: str, body: AsyncIterator[bytes]) -> AsyncIterator[PartStart | bytes | PartEnd]:
    """Yield each part as its start, its bytes in pieces of the size they came in, and its end.

    Raises:
        SettlementError: ``multipart_invalid``, also when the body ends before its closing boundary.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise SettlementError(
            "multipart_invalid", f"the body is {content_type[:100] or 'of no type'} (正文类型不符)", HINT
        )
    parser = _parser_of(options[b"boundary"])
    async for chunk in body:
        for event in parser.feed(chunk):
            yield event
    if not parser.is_complete:
        raise SettlementError("multipart_invalid", "the body ends before its closing boundary (正文不完整)", HINT)


def _parser_of(boundary: bytes) -> "_Parser":
    try:
        return _Parser(boundary)
    except FormParserError as error:
        raise SettlementError(
            "multipart_invalid", f"the boundary cannot be used: {error} (分隔符不可用)", HINT
        ) from None


class _Parser:
    """Turns the callbacks of the push parser into a list of events for each chunk."""

    def __init__(self, boundary: bytes) -> None:
        self.is_complete = False
        self._events: list[PartStart | bytes | PartEnd] = []
        self._field, self._value, self._headers = b"", b"", dict[bytes, bytes]()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers_begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> list[PartStart | bytes | PartEnd]:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise SettlementError(
                "multipart_invalid", f"the body is not multipart: {error} (正文格式有误)", HINT
            ) from None
        events, self._events = self._events, []
        return events

    def _headers_begin(self) -> None:
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field, self._value = b"", b""

    def _headers_end(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        _, options = parse_options_header(disposition)
        self._events.append(PartStart(_text(options.get(b"name", b"")), _text(options.get(b"filename", b""))))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _part_end(self) -> None:
        self._events.append(PartEnd())

    def _end(self) -> None:
        self.is_complete = True


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise SettlementError(
            "multipart_invalid", f"the name {value[:100]!r} is not UTF-8 (名称不是 UTF-8)", HINT
        ) from None
