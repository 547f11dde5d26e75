"""What a sample was asked to hold, and what it holds: the two ends of writing one."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from settlement.errors import SettlementError

ListFormat = Literal["none", "csv", "json4101"]

#: Settlements worked on at once. It bounds the memory, and is part of what a seed means.
CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class SampleRequest:
    """The parameters of a sample. Shares are of a day's rows; the clock is never asked."""

    area_code: str
    start: date
    days: int
    per_day: int
    seed: int = 7
    institutions: int = 40
    bad_share: float = 0.02
    refund_share: float = 0.05
    late_share: float = 0.005
    fee_lines: bool = False
    lists: ListFormat = "none"
    declarations: bool = False
    fund_sum_includes_account: bool = False
    budgets: bool = False
    compress: bool = True
    reject_limit: float = 0.3

    def __post_init__(self) -> None:
        refusals = {
            "area_code is six digits": len(self.area_code) == 6 and self.area_code.isdigit(),
            "days is at least 1": self.days >= 1,
            "per_day is at least 1": self.per_day >= 1,
            "seed is not negative": self.seed >= 0,
            "institutions is between 3 and 99999": 3 <= self.institutions <= 99_999,
            "bad_share is between 0 and 0.2": 0 <= self.bad_share <= 0.2,
            "refund_share is between 0 and 0.2": 0 <= self.refund_share <= 0.2,
            "late_share is between 0 and 0.1": 0 <= self.late_share <= 0.1,
            "reject_limit is between 0 and 1": 0 <= self.reject_limit <= 1,
            "lists is none, csv or json4101": self.lists in ("none", "csv", "json4101"),
        }
        for promise, holds in refusals.items():
            if not holds:
                name = promise.split()[0]
                raise SettlementError(
                    "sample_parameter",
                    f"{name} is {getattr(self, name)!r}, but {promise} (参数不合规)",
                    f"give another --{name.removesuffix('_code').replace('_', '-')}",
                )

    @property
    def business_dates(self) -> list[date]:
        """The days of the sample in order."""
        return [self.start + timedelta(days=day) for day in range(self.days)]

    @property
    def suffix(self) -> str:
        """What the names of large data files end in, behind their format."""
        return ".gz" if self.compress else ""

    def chunk_sizes(self) -> list[int]:
        """How a day's rows are cut into chunks; the last one takes what is left."""
        whole, rest = divmod(self.per_day, CHUNK_ROWS)
        return [CHUNK_ROWS] * whole + ([rest] if rest else [])


@dataclass
class FileCount:
    """What a receipt should say of one file when the batches are received in order.

    ``accepted`` leaves out the refunds that wait for their original (``pending``), as the receipt does.
    """

    table: str
    read: int = 0
    quarantined: int = 0
    repeated: int = 0
    pending: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        """Rows that get in at once."""
        return self.read - self.quarantined - self.repeated - self.pending


@dataclass(frozen=True)
class BatchSummary:
    """One batch as written; ``business_date`` is None for reference data."""

    batch_id: str
    kind: str
    business_date: date | None
    files: tuple[FileCount, ...]

    def file(self, table: str) -> FileCount:
        """The file of that table; :raises KeyError: if the batch has none."""
        for count in self.files:
            if count.table == table:
                return count
        raise KeyError(table)


@dataclass(frozen=True)
class SampleSummary:
    """The batches in the order of delivery, each with the counts its receipt should show."""

    area_code: str
    batches: tuple[BatchSummary, ...]

    @property
    def batch_ids(self) -> list[str]:
        """The batches in the order of delivery."""
        return [batch.batch_id for batch in self.batches]

    def _settlement_files(self) -> list[FileCount]:
        return [count for batch in self.batches for count in batch.files if count.table == "settlement"]

    @property
    def settlement_rows(self) -> int:
        """Rows of all settlement files."""
        return sum(count.read for count in self._settlement_files())

    @property
    def refunds_pending(self) -> int:
        """Refunds that arrive before their original, each counted in the batch it arrives in."""
        return sum(count.pending for count in self._settlement_files())

    @property
    def reasons(self) -> Counter[str]:
        """Rows refused, by reason code, over every file of the sample."""
        total: Counter[str] = Counter()
        for batch in self.batches:
            for count in batch.files:
                total.update(count.reasons)
        return total
