"""manifest.json: what a sender says about a batch, checked before anything else is read."""

import codecs
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from settlement.contract.limits import Limits, require_rows
from settlement.contract.tables import TABLES, Table
from settlement.errors import SettlementError

OUTBOX_FOLDERS = ("payments", "bookings", "seals")
"""Folders of the outbox that hold something else than a batch's receipts; no batch may have their names."""
BATCH_ID = re.compile(rf"(?!(?i:{'|'.join(OUTBOX_FOLDERS)})\Z)[A-Za-z0-9][A-Za-z0-9_.-]{{0,63}}")
AREA_CODE = re.compile(r"[0-9]{6}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SHA256 = re.compile(r"[0-9a-f]{64}")
KINDS = ("settlement", "declaration", "reference", "review", "case_review", "bank_receipt", "clearing_bill")
DATED_KINDS = ("settlement", "declaration")
ENCODINGS = ("utf-8", "gb18030")
TABLE_FORMATS = ("csv", "tsv", "jsonl", "parquet")
BANK_FORMATS = ("pain002", "camt054")
SHANGHAI = ZoneInfo("Asia/Shanghai")
YEARS = range(1990, 2100)
"""Years a batch may be of: far enough from the ends of the calendar for every offset and month."""
NAME_BYTES = 255
"""What file systems and object stores take as one name, in UTF-8."""
HINT = "mend manifest.json and send the batch again (请更正清单后重报)"
SHOWN = 100
"""Characters of a sender's value that a message shows."""


@dataclass(frozen=True, eq=False)
class DeliveredFile:
    """One file of a batch as its manifest describes it. `control` keeps the sender's own text of each sum."""

    file_no: int
    name: str
    table: Table
    format: str
    encoding: str
    rows: int
    sha256: str
    control: Mapping[str, str]

    @property
    def compression(self) -> str | None:
        """``gz``, ``zst`` or ``zip`` by the end of the name; None when the file is stored plainly."""
        suffix = self.name.rpartition(".")[2].lower()
        return suffix if suffix in ("gz", "zst", "zip") else None


@dataclass(frozen=True)
class Manifest:
    """A checked manifest. `created_at` carries its offset; `business_date` is None for undated kinds."""

    batch_id: str
    kind: str
    area_code: str
    business_date: date | None
    created_at: datetime
    sender: str | None
    files: tuple[DeliveredFile, ...]

    @property
    def content_sha256(self) -> str:
        """Hash of what the batch says: the same id with another hash is a conflict. When and by whom is no content."""
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The manifest as it is kept with the batch: known fields only."""
        return {
            "batch_id": self.batch_id,
            **self._content(),
            "created_at": self.created_at.isoformat(),
            "sender": self.sender,
        }

    def _content(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "area_code": self.area_code,
            "business_date": self.business_date.isoformat() if self.business_date else None,
            "files": [
                {
                    "name": file.name,
                    "table": file.table.name,
                    "format": file.format,
                    "encoding": file.encoding,
                    "rows": file.rows,
                    "sha256": file.sha256,
                    "control": dict(file.control),
                }
                for file in self.files
            ],
        }


def parse_manifest(content: bytes, batch_id: str, limits: Limits) -> Manifest:
    """Read and check the manifest of the batch in folder `batch_id`.

    Raises:
        SettlementError: ``manifest_unreadable`` (not JSON in UTF-8), ``manifest_invalid`` (a field is missing or
            malformed; the message names it), ``file_name_unsafe``, ``too_many_files``, ``too_many_rows``,
            ``encoding_unknown``.
    """
    fields = _Fields(_read_json(content), "manifest.json")
    if fields.text("batch_id") != batch_id:
        raise _invalid(
            f"batch_id is {shown(fields.text('batch_id'))}, but the folder is {batch_id!r}", "批次号与目录名不一致"
        )
    kind = fields.one_of("kind", KINDS)
    area_code = fields.text("area_code")
    if not AREA_CODE.fullmatch(area_code):
        raise _invalid(f"area_code {shown(area_code)} is not six digits", "统筹区代码须为 6 位数字")
    created_at = _instant(fields.text("created_at"))
    business_date = _date(fields, required=kind in DATED_KINDS)
    if business_date:
        _check_distance(business_date, created_at, limits)
    return Manifest(
        batch_id=batch_id,
        kind=kind,
        area_code=area_code,
        business_date=business_date,
        created_at=created_at,
        sender=fields.text("sender", required=False) or None,
        files=_files(fields, kind, limits),
    )


class _Fields:
    """An object of the manifest, read field by field; errors say where it stands, what is there and what is allowed."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, dict):
            raise _invalid(f"{where} is not an object, it is {_described(content)}", "须为 JSON 对象 {…}")
        self._content = content
        self.where = where

    def text(self, name: str, *, required: bool = True, default: str = "") -> str:
        value = self._content.get(name)
        if value is None and not required:
            return default
        if value is None:
            raise self.missing(name)
        if not isinstance(value, str):
            raise _invalid(
                f"{self.where}: {name} is not a text, it is {_described(value)}; write it in quotes",
                f"{name} 须为带引号的文本",
            )
        if required and not value:
            raise self.missing(name)
        if len(value) > 1_000 or not value.isprintable():
            raise _invalid(
                f"{self.where}: {name} is longer than 1000 characters, or has invisible or control characters:"
                f" {shown(value)}",
                f"{name} 过长或含不可见字符",
            )
        return value

    def missing(self, name: str) -> SettlementError:
        """The error for a field that is not there, empty or null; a name written in another way is pointed out."""
        plain = name.replace("_", "")
        alike = [other for other in self._content if re.sub("[^a-z0-9]", "", other.lower()) == plain and other != name]
        pointed = f"; there is {shown(alike[0])}, but names are in lower case with '_'" if alike else ""
        return _invalid(f"{self.where}: {name} is missing or empty{pointed}", f"缺少 {name}")

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in allowed:
            known = ", ".join(allowed)
            raise _invalid(f"{self.where}: {name} is {shown(value)}; known are {known}", f"{name} 取值须为 {known}")
        return value

    def count(self, name: str) -> int:
        value = self._content.get(name)
        if value is None:
            raise self.missing(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
            raise _invalid(
                f"{self.where}: {name} is {_described(value)}, not a number of rows; "
                "allowed is a whole number without quotes, such as 1204",
                f"{name} 须为不带引号的非负整数",
            )
        return value

    def raw(self, name: str) -> Any:
        return self._content.get(name)


def shown(text: str) -> str:
    """A sender's text as people can read it: in quotes, shortened, and with what cannot be seen named ⟨U+00A0⟩."""
    kept = text[:SHOWN]
    visible = "".join(
        character if character.isprintable() and not _is_unseen(character) else f"⟨U+{ord(character):04X}⟩"
        for character in kept
    )
    return f"'{visible}'" + ("…" if len(text) > SHOWN else "")


def _is_unseen(character: str) -> bool:
    """True for what looks like nothing or like a blank: format characters, and every space but the plain one."""
    return unicodedata.category(character) in ("Cf", "Zs", "Zl", "Zp") and character != " "


def _described(value: Any) -> str:
    """What a JSON value is, e.g. ``the number 2`` or ``the text '2'``."""
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, int | Decimal):
        return f"the number {str(value)[:SHOWN]}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "null"


def _read_json(content: bytes) -> Any:
    """Read JSON in UTF-8; what is something else is named, for people to find it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _unreadable("it is UTF-16", "清单是 UTF-16 编码")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        looks = "; it reads as GB18030 (GBK)" if _decodes(content, "gb18030") else ""
        raise _unreadable(f"byte {error.start} does not decode as UTF-8{looks}", "清单须为 UTF-8 编码") from None
    try:
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_unrepeated)
    except json.JSONDecodeError as error:
        before = text[: error.pos].rstrip()
        comma = "; there is a comma with nothing behind it" if before.endswith(",") else ""
        where = f"line {error.lineno} column {error.colno}"
        raise _unreadable(f"{error.msg}: {where}{comma}", f"第 {error.lineno} 行第 {error.colno} 列") from None
    except (ValueError, ArithmeticError, RecursionError) as error:  # a number may be beyond every exponent
        raise _unreadable(str(error)[:SHOWN], "JSON 语法有误") from None


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(reason: str, chinese: str) -> SettlementError:
    return SettlementError("manifest_unreadable", f"manifest.json is not JSON in UTF-8: {reason} ({chinese})", HINT)


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name in content:
            raise ValueError(f"the field {shown(name)} is given twice")
        content[name] = value
    return content


def _date(fields: _Fields, *, required: bool) -> date | None:
    text = fields.text("business_date", required=required)
    if not text:
        return None
    try:
        if DAY.fullmatch(text) and (day := date.fromisoformat(text)).year in YEARS:
            return day
    except ValueError:
        pass
    raise _invalid(
        f"business_date {shown(text)} is not a date YYYY-MM-DD between {YEARS[0]} and {YEARS[-1]}, such as 2026-03-02",
        "业务日期格式须为 YYYY-MM-DD",
    )


def _check_distance(business_date: date, created_at: datetime, limits: Limits) -> None:
    """A day that is over may be delivered long after it, one that has not begun cannot be (no date of 2099)."""
    created_on = created_at.astimezone(SHANGHAI).date()
    latest = created_on + timedelta(days=limits.days_ahead)
    earliest = created_on - timedelta(days=limits.days_back)
    if not earliest <= business_date <= latest:
        raise _invalid(
            f"business_date {business_date} is not between {earliest} and {latest}, seen from created_at {created_on};"
            " SETTLEMENT_LIMIT_DAYS_AHEAD and SETTLEMENT_LIMIT_DAYS_BACK say how far it may be",
            "业务日期距生成日期过远",
        )


def _instant(text: str) -> datetime:
    """Read a time stamp; one without an offset is Asia/Shanghai's, as all times of the contract are."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(
            f"created_at {shown(text)} is not a time like 2026-03-02T23:10:05+08:00",
            "生成时间格式须如 2026-03-02T23:10:05+08:00",
        ) from None
    if instant.year not in YEARS:
        raise _invalid(f"created_at {shown(text)} is not between {YEARS[0]} and {YEARS[-1]}", "生成时间年份超出范围")
    return instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)


def _files(fields: _Fields, kind: str, limits: Limits) -> tuple[DeliveredFile, ...]:
    entries = fields.raw("files")
    if not isinstance(entries, list) or not entries:
        raise _invalid(
            "files is missing, empty or not a list: a list of one object a file is allowed", "缺少文件列表 files"
        )
    if len(entries) > limits.files:
        raise SettlementError(
            "too_many_files",
            f"the batch has {len(entries)} files, more than {limits.files} (文件数超限)",
            "split it into several batches, or raise SETTLEMENT_LIMIT_FILES (请拆分批次)",
        )
    files = tuple(_file(number, entry, kind) for number, entry in enumerate(entries, start=1))
    names = [file.name for file in files]
    for name in names:
        if names.count(name) > 1:
            raise _invalid(f"the file {shown(name)} is listed twice", "同一文件重复列出")
    for file in files:
        require_rows(file.name, file.rows, sum(other.rows for other in files), limits)
    return files


def _file(number: int, entry: Any, kind: str) -> DeliveredFile:
    fields = _Fields(entry, f"files[{number}]")
    name = fields.text("name")
    if "/" in name or "\\" in name or name in (".", "..", "manifest.json") or len(name.encode()) > NAME_BYTES:
        raise SettlementError(
            "file_name_unsafe",
            f"{fields.where}: {shown(name)} is not the name of a file in the batch folder (文件名不得含路径)",
            HINT,
        )
    table = TABLES[fields.one_of("table", tuple(table.name for table in TABLES.values() if table.kind == kind))]
    return DeliveredFile(
        file_no=number,
        name=name,
        table=table,
        format=fields.one_of("format", _formats(table)),
        encoding=_encoding(fields),
        rows=fields.count("rows"),
        sha256=fields.text("sha256").lower(),
        control=_control(fields, table),
    )


def _formats(table: Table) -> tuple[str, ...]:
    if table.name == "bank_receipt":
        return BANK_FORMATS
    return (*TABLE_FORMATS, "json4101") if table.name == "settlement_list" else TABLE_FORMATS


def _encoding(fields: _Fields) -> str:
    encoding = fields.text("encoding", required=False, default="utf-8").lower()
    if encoding not in ENCODINGS:
        raise SettlementError(
            "encoding_unknown",
            f"{fields.where}: encoding {shown(encoding)} is not one of {', '.join(ENCODINGS)} (编码须为其一)",
            "gb18030 reads files in GBK and GB2312 too; write them so, and send the batch again"
            " (GBK、GB2312 文件请填 gb18030)",
        )
    return encoding


def _control(fields: _Fields, table: Table) -> dict[str, str]:
    """Control sums by column, as text: a sum that is no number differs from every sum, it is no malformed field."""
    control = fields.raw("control")
    if control is None:
        return {}
    if not isinstance(control, dict):
        raise _invalid(f"{fields.where}: control is {_described(control)}, not an object", "control 须为 JSON 对象")
    numeric = {column.name for column in table.columns if column.kind in ("money", "decimal", "ratio", "int", "flag")}
    for column, value in control.items():
        if column not in numeric:
            raise _invalid(
                f"{fields.where}: control names {shown(column)}, which is no number column of {table.name}; "
                f"those are {', '.join(name for name in (found.name for found in table.columns) if name in numeric)}",
                "control 只能列数值列",
            )
        if value is None or isinstance(value, bool | list | dict):
            raise _invalid(
                f"{fields.where}: the control sum of {column} is {_described(value)}, not a sum", "控制合计须为数值"
            )
    sums = {column: str(value)[:100] for column, value in control.items()}
    for column, text in sums.items():
        if not text.isprintable():
            raise _invalid(
                f"{fields.where}: the control sum of {column} has control characters: {shown(text)}",
                "控制合计含控制字符",
            )
    return sums


def _invalid(message: str, chinese: str) -> SettlementError:
    return SettlementError("manifest_invalid", f"{message} ({chinese})", HINT)
