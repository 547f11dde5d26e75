"""manifest.json: what a sender says about a batch, checked before anything else is read."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from settlement.contract.limits import Limits
from settlement.contract.tables import TABLES, Table
from settlement.errors import SettlementError

BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
AREA_CODE = re.compile(r"[0-9]{6}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
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
HINT = "mend manifest.json and send the batch again"


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
            malformed; the message names it), ``file_name_unsafe``, ``too_many_files``, ``encoding_unknown``.
    """
    fields = _Fields(_read_json(content), "manifest.json")
    if fields.text("batch_id") != batch_id:
        raise _invalid(f"batch_id is {fields.text('batch_id')!r}, but the folder is {batch_id!r}")
    kind = fields.one_of("kind", KINDS)
    area_code = fields.text("area_code")
    if not AREA_CODE.fullmatch(area_code):
        raise _invalid(f"area_code {area_code!r} is not six digits")
    business_date = _date(fields, required=kind in DATED_KINDS)
    return Manifest(
        batch_id=batch_id,
        kind=kind,
        area_code=area_code,
        business_date=business_date,
        created_at=_instant(fields.text("created_at")),
        sender=fields.text("sender", required=False) or None,
        files=_files(fields, kind, limits),
    )


class _Fields:
    """An object of the manifest, read field by field; errors say where it stands."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, dict):
            raise _invalid(f"{where} is not an object")
        self._content = content
        self.where = where

    def text(self, name: str, *, required: bool = True, default: str = "") -> str:
        value = self._content.get(name)
        if value is None and not required:
            return default
        if not isinstance(value, str) or (required and not value):
            raise _invalid(f"{self.where}: {name} is missing or not a text")
        if len(value) > 1_000 or not value.isprintable():
            raise _invalid(f"{self.where}: {name} is longer than 1000 characters or has control characters")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in allowed:
            raise _invalid(f"{self.where}: {name} is {value!r}; known are {', '.join(allowed)}")
        return value

    def count(self, name: str) -> int:
        value = self._content.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
            raise _invalid(f"{self.where}: {name} is {value!r}, not a number of rows")
        return value

    def raw(self, name: str) -> Any:
        return self._content.get(name)


def _read_json(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=_unrepeated)
    except (ValueError, ArithmeticError, RecursionError) as error:  # a number may be beyond every exponent
        raise SettlementError("manifest_unreadable", f"manifest.json is not JSON in UTF-8: {error}", HINT) from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a field is given twice")
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
    raise _invalid(f"business_date {text!r} is not a date YYYY-MM-DD")


def _instant(text: str) -> datetime:
    """Read a time stamp; one without an offset is Asia/Shanghai's, as all times of the contract are."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(f"created_at {text!r} is not a time like 2026-03-02T23:10:05+08:00") from None
    if instant.year not in YEARS:
        raise _invalid(f"created_at {text!r} is not between {YEARS[0]} and {YEARS[-1]}")
    return instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)


def _files(fields: _Fields, kind: str, limits: Limits) -> tuple[DeliveredFile, ...]:
    entries = fields.raw("files")
    if not isinstance(entries, list) or not entries:
        raise _invalid("files is missing or empty")
    if len(entries) > limits.files:
        raise SettlementError(
            "too_many_files",
            f"the batch has {len(entries)} files, more than {limits.files}",
            "split it into several batches, or raise SETTLEMENT_LIMIT_FILES",
        )
    files = tuple(_file(number, entry, kind) for number, entry in enumerate(entries, start=1))
    names = [file.name for file in files]
    for name in names:
        if names.count(name) > 1:
            raise _invalid(f"the file {name!r} is listed twice")
    return files


def _file(number: int, entry: Any, kind: str) -> DeliveredFile:
    fields = _Fields(entry, f"files[{number}]")
    name = fields.text("name")
    if "/" in name or "\\" in name or name in (".", "..", "manifest.json") or len(name.encode()) > NAME_BYTES:
        raise SettlementError(
            "file_name_unsafe", f"{fields.where}: {name!r} is not the name of a file in the batch folder", HINT
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
            "encoding_unknown", f"{fields.where}: encoding {encoding!r} is not one of {', '.join(ENCODINGS)}", HINT
        )
    return encoding


def _control(fields: _Fields, table: Table) -> dict[str, str]:
    """Control sums by column, as text: a sum that is no number differs from every sum, it is no malformed field."""
    control = fields.raw("control")
    if control is None:
        return {}
    if not isinstance(control, dict):
        raise _invalid(f"{fields.where}: control is not an object")
    numeric = {column.name for column in table.columns if column.kind in ("money", "decimal", "ratio", "int", "flag")}
    for column in control:
        if column not in numeric:
            raise _invalid(f"{fields.where}: control names {column!r}, which is no number column of {table.name}")
    sums = {column: str(value)[:100] for column, value in control.items()}
    for column, text in sums.items():
        if not text.isprintable():
            raise _invalid(f"{fields.where}: the control sum of {column} has control characters")
    return sums


def _invalid(message: str) -> SettlementError:
    return SettlementError("manifest_invalid", message, HINT)
