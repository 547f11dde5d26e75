"""How large a batch may be. Every limit can be set by an environment variable, e.g. SETTLEMENT_LIMIT_FILES=128."""

import os
import shutil
from dataclasses import dataclass, field, fields
from pathlib import Path

from settlement.errors import SettlementError

KIB, MIB, GIB = 2**10, 2**20, 2**30

NOT_BY_RATIO = 16 * MIB
"""A file that expands to less is never called a bomb: a few rows of zeros compress as well as one does."""
SPACE_IS_LOOKED_AT_EVERY = 64 * MIB


@dataclass(frozen=True)
class Limits:
    """Bytes unless the name says otherwise."""

    files: int = 64
    manifest_bytes: int = 1 * MIB
    file_bytes: int = 4 * GIB
    """Of one file, uncompressed; checked while reading, so an archive bomb stops early."""
    batch_bytes: int = 8 * GIB
    """Of all files of a batch as they are delivered."""
    expanded_bytes: int = 16 * GIB
    """Of all files of a batch, uncompressed."""
    expansion_ratio: int = 200
    """Uncompressed bytes of a file for each byte delivered; tables of digits compress 10 to 40 times."""
    free_bytes: int = 1 * GIB
    """What stays free on a disk that a delivery is written to; below it nothing is expanded or uploaded."""
    file_rows: int = 10_000_000
    batch_rows: int = 20_000_000
    quarantined_rows: int = 10_000
    """Refused rows that are kept of a held batch; the others are counted."""
    minutes_ahead: int = 15
    """Minutes that the clock of who made a batch may be ahead of the one of who receives it."""
    days_ahead: int = 1
    """Days that a batch's business date may be after the day it was made on."""
    days_back: int = 3_660
    """Days that a batch's business date may be before the day it was made on."""
    kept_accepted_days: int = 400
    """Days after which the files of an accepted batch leave the inbox: a settlement year with its final clearing."""
    kept_refused_days: int = 30
    """Days after which the files of a refused batch, or of a delivery that broke off, leave the inbox."""
    line_bytes: int = 1 * MIB
    columns: int = 1_000
    load_seconds: int = 2 * 3_600
    """Seconds that the load of one batch may take; then its process is killed, and the next batch follows."""
    duckdb_memory: int = 208 * MIB
    duckdb_threads: int = 2

    @classmethod
    def from_environment(cls) -> "Limits":
        """Read the limits that are set, e.g. ``SETTLEMENT_LIMIT_FILE_BYTES``; the others keep their defaults.

        Raises:
            SettlementError: ``limit_invalid`` when a value is not a whole number above zero.
        """
        return cls(**{field.name: _limit(field.name, int(str(field.default))) for field in fields(cls)})


@dataclass
class BatchMeter:
    """Counts the bytes of one batch while they are read, and stops it at the limits.

    Whoever takes bytes of a batch (the upload, the load) has one for the batch and tells it of each block before it is
    written; `folder` is where they are written to.
    """

    limits: Limits
    folder: Path
    delivered: int = 0
    expanded: int = 0
    rows: int = 0
    """Of the files that were read to their end."""
    _unlooked: int = field(default=SPACE_IS_LOOKED_AT_EVERY, repr=False)

    def deliver(self, size: int) -> None:
        """Count `size` more bytes as they are delivered.

        Raises:
            SettlementError: ``batch_too_large``, ``disk_space_low``.
        """
        self.delivered += size
        if self.delivered > self.limits.batch_bytes:
            raise SettlementError(
                "batch_too_large",
                f"the files of the batch have more than {self.limits.batch_bytes} bytes together (批次总字节数超限)",
                "split it into several batches, or raise SETTLEMENT_LIMIT_BATCH_BYTES (请拆分批次)",
            )
        self._look_at_space(size)

    def expand(self, size: int) -> None:
        """Count `size` more bytes of expanded files.

        Raises:
            SettlementError: ``batch_too_large``, ``disk_space_low``.
        """
        self.expanded += size
        if self.expanded > self.limits.expanded_bytes:
            raise SettlementError(
                "batch_too_large",
                f"the files of the batch have more than {self.limits.expanded_bytes} bytes uncompressed"
                " (批次文件解压后总字节数超限)",
                "split it into several batches, or raise SETTLEMENT_LIMIT_EXPANDED_BYTES (请拆分批次)",
            )
        self._look_at_space(size)

    def _look_at_space(self, size: int) -> None:
        self._unlooked += size
        if self._unlooked >= SPACE_IS_LOOKED_AT_EVERY:
            self._unlooked = 0
            require_free_space(self.folder, self.limits)


def require_free_space(folder: Path, limits: Limits, needed: int = 0) -> None:
    """Let `needed` bytes be written to `folder` only where enough of its disk stays free.

    Raises:
        SettlementError: ``disk_space_low``.
    """
    free = shutil.disk_usage(folder).free
    if free - needed < limits.free_bytes:
        raise SettlementError(
            "disk_space_low",
            f"{free // MIB} MiB are free where {folder} lies; {limits.free_bytes // MIB} MiB must stay free"
            " (磁盘剩余空间不足)",
            "free space and run it again; nothing was loaded. SETTLEMENT_LIMIT_FREE_BYTES says how much stays free"
            " (请清理磁盘后重跑)",
        )


def require_ratio(name: str, delivered: int, expanded: int, limits: Limits) -> None:
    """Refuse a file that expands to many times what was delivered.

    Raises:
        SettlementError: ``expansion_ratio``.
    """
    if expanded > NOT_BY_RATIO and expanded > delivered * limits.expansion_ratio:
        raise SettlementError(
            "expansion_ratio",
            f"{name} expands to more than {limits.expansion_ratio} times its {delivered} bytes (文件膨胀倍数超限)",
            "a table compresses 10 to 40 times: look what the file holds, e.g. one row again and again, or raise"
            " SETTLEMENT_LIMIT_EXPANSION_RATIO (请核对文件内容, 如是否大量重复行)",
        )


def require_rows(name: str, file_rows: int, batch_rows: int, limits: Limits) -> None:
    """Refuse a file, or the batch with it, that has more rows than the limits allow.

    Raises:
        SettlementError: ``too_many_rows``.
    """
    for rows, limit, whose, variable in (
        (file_rows, limits.file_rows, "the file", "FILE_ROWS"),
        (batch_rows, limits.batch_rows, "the batch with it", "BATCH_ROWS"),
    ):
        if rows > limit:
            raise SettlementError(
                "too_many_rows",
                f"{name}: {whose} has {rows} rows, more than {limit} (行数超限)",
                f"split it into several batches, or raise SETTLEMENT_LIMIT_{variable} (请拆分批次)",
            )


def require_columns(name: str, columns: int, limits: Limits) -> None:
    """Refuse a file that names more columns than the limit allows.

    Raises:
        SettlementError: ``too_many_columns``.
    """
    if columns > limits.columns:
        raise SettlementError(
            "too_many_columns",
            f"{name} has {columns} columns, more than {limits.columns} (列数超限)",
            "check the delimiter, or the names in its objects (请检查分隔符或对象中的名称)",
        )


def _limit(name: str, default: int) -> int:
    variable = f"SETTLEMENT_LIMIT_{name.upper()}"
    text = os.environ.get(variable)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettlementError(
            "limit_invalid",
            f"{variable} is {text!r}, not a whole number above zero (限额设置有误)",
            f"unset it to use {default} (取消设置即用默认值)",
        )
    return int(text)
