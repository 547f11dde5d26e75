"""Batch folders on disk: data files written as a stream, hashed on the way, and the manifest last."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from pyarrow import csv as arrow_csv

from settlement.sample.area import Integers

#: Fast rather than small: the files are read again within minutes.
GZIP_LEVEL = 2
TEXT_FORMAT = arrow_csv.WriteOptions(include_header=False, quoting_style="none")


class _HashingFile(io.RawIOBase):
    """A file that knows the SHA-256 of the bytes written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("wb")
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass
class DataFile:
    """One file of a batch, open for writing. ``control`` collects sums in fen by column."""

    path: Path
    table: str
    format: str = "csv"
    rows: int = 0
    control: dict[str, int] = field(default_factory=dict)
    _has_header: bool = False

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._target = _HashingFile(self.path)
        self._stack.callback(self._target.close)
        self._stream: Any = self._target
        if self.path.suffix == ".gz":
            self._stream = gzip.GzipFile(
                filename="", fileobj=self._target, mode="wb", compresslevel=GZIP_LEVEL, mtime=0
            )
            self._stack.callback(self._stream.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def write_table(self, texts: pa.Table) -> None:
        """Append rows whose text needs no quoting, with the header before the first ones."""
        self._write_header(texts.column_names)
        buffer = pa.BufferOutputStream()
        arrow_csv.write_csv(texts, buffer, TEXT_FORMAT)
        self._stream.write(memoryview(buffer.getvalue()))
        self.rows += texts.num_rows

    def write_rows(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Append rows of any text, quoted where they must be."""
        self._write_header(header)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            writer.writerow(row)
            self.rows += 1
        self._stream.write(text.getvalue().encode())

    def write_lines(self, lines: Iterable[str]) -> None:
        """Append lines of a format without a header (JSON, one document a line)."""
        for line in lines:
            self._stream.write(line.encode() + b"\n")
            self.rows += 1

    def write_text(self, text: str, rows: int) -> None:
        """Write a whole document that counts as ``rows`` rows (a bank's XML)."""
        self._stream.write(text.encode())
        self.rows += rows

    def add_control(self, sums: Mapping[str, Integers]) -> None:
        """Add to the control sums; ``sums`` are the values written, in fen, by column."""
        for name, values in sums.items():
            self.control[name] = self.control.get(name, 0) + int(values.sum())

    def _write_header(self, names: Sequence[str]) -> None:
        if not self._has_header:
            self._has_header = True
            self._stream.write((",".join(names) + "\n").encode())

    def manifest_entry(self) -> dict[str, object]:
        """Its entry in the manifest; the file must be closed."""
        return {
            "name": self.path.name,
            "table": self.table,
            "format": self.format,
            "encoding": "utf-8",
            "rows": self.rows,
            "sha256": self._target.sha256.hexdigest(),
            "control": {name: fen_text(total) for name, total in self.control.items()},
        }


def fen_text(fen: int) -> str:
    """Fen as yuan with two decimals: -5 is ``-0.05``."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan}.{rest:02d}"


def write_manifest(
    folder: Path,
    *,
    kind: str,
    area_code: str,
    business_date: date | None,
    created_at: str,
    sender: str,
    files: Sequence[DataFile],
) -> None:
    """Write the manifest and with it declare the batch complete."""
    manifest: dict[str, object] = {"batch_id": folder.name, "kind": kind, "area_code": area_code}
    if business_date is not None:
        manifest["business_date"] = business_date.isoformat()
    manifest |= {"created_at": created_at, "sender": sender, "files": [file.manifest_entry() for file in files]}
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
