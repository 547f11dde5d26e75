"""Write the batches of a sample in the order a provincial platform would deliver them."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from settlement.errors import SettlementError
from settlement.sample.area import Area, invent_area
from settlement.sample.clinical import Catalogue, invent_catalogue
from settlement.sample.day import Carried, invent_chunk, late_rows
from settlement.sample.declarations import HEADER as DECLARATION_HEADER
from settlement.sample.declarations import DayTotals
from settlement.sample.faults import Fault
from settlement.sample.fees import FeeLines
from settlement.sample.files import DataFile, write_manifest
from settlement.sample.lists import SettlementLists
from settlement.sample.reference import reference_tables
from settlement.sample.render import settlement_table
from settlement.sample.settlements import Columns
from settlement.sample.summary import BatchSummary, FileCount, ListFormat, SampleRequest, SampleSummary

CONTROLLED = ("medfee_sumamt", "fund_pay_sumamt")
#: A chunk's rows in file order, with the faults their column ``fault`` refers to.
Chunks = Iterator[tuple[Columns, list[Fault]]]


def write_batches(
    directory: Path,
    *,
    area_code: str,
    start: date,
    days: int,
    per_day: int,
    seed: int = 7,
    institutions: int = 40,
    bad_share: float = 0.02,
    refund_share: float = 0.05,
    late_share: float = 0.005,
    fee_lines: bool = False,
    lists: ListFormat = "none",
    declarations: bool = False,
    fund_sum_includes_account: bool = False,
    budgets: bool = False,
    compress: bool = True,
    reject_limit: float = 0.3,
) -> SampleSummary:
    """Write a reference batch and one settlement batch a day below ``directory``; the same arguments, the same bytes.

    ``per_day`` counts the rows of a day's main batch, refunds and bad rows included. ``late_share`` of a day's
    settlements come in a late batch after the next day's; half of them are refunded before they arrive. A declaration
    (where ``declarations``) covers its whole day, so groups with late settlements agree only once the late batch is in.
    ``reject_limit`` is the area's: a batch is held when a larger share of one of its files is refused.

    :raises SettlementError: ``sample_parameter``; ``sample_exists`` when a batch of that name is there already.
    """
    request = SampleRequest(
        area_code=area_code,
        start=start,
        days=days,
        per_day=per_day,
        seed=seed,
        institutions=institutions,
        bad_share=bad_share,
        refund_share=refund_share,
        late_share=late_share,
        fee_lines=fee_lines,
        lists=lists,
        declarations=declarations,
        fund_sum_includes_account=fund_sum_includes_account,
        budgets=budgets,
        compress=compress,
        reject_limit=reject_limit,
    )
    return SampleSummary(area_code, tuple(_Writer(directory, request).write()))


class _Writer:
    """Holds what a day hands on to the next while the batches are written."""

    def __init__(self, directory: Path, request: SampleRequest) -> None:
        self._directory = directory
        self._request = request
        self._area: Area = invent_area(request)
        self._catalogue: Catalogue = invent_catalogue()
        self._sender = request.area_code[:2] + "0000"

    def write(self) -> Iterator[BatchSummary]:
        yield self._reference()
        carried: list[Carried] = []
        for day_number, business_date in enumerate(self._request.business_dates):
            totals = DayTotals(self._area)
            yesterday, carried = carried, []
            yield self._settlements(
                business_date, "0001", self._main_chunks(day_number, yesterday, carried, totals), business_date
            )
            if self._request.declarations:
                yield self._declaration(business_date, totals)
            if any(len(part.late["number"]) for part in yesterday):
                yield self._settlements(
                    business_date - timedelta(days=1),
                    "0002",
                    ((late_rows(part), []) for part in yesterday),
                    business_date,
                )

    def _main_chunks(
        self, day_number: int, yesterday: list[Carried], carried: list[Carried], totals: DayTotals
    ) -> Chunks:
        for chunk_number in range(len(self._request.chunk_sizes())):
            before = yesterday[chunk_number] if yesterday else None
            chunk = invent_chunk(self._request, self._area, day_number, chunk_number, before)
            totals.add(chunk.columns, chunk.columns["fault"] == 0)
            totals.add(chunk.carried.late, np.ones(len(chunk.carried.late["number"]), dtype=np.bool_))
            carried.append(chunk.carried)
            yield chunk.columns, chunk.known_faults

    def _settlements(self, business_date: date, serial: str, chunks: Chunks, delivered_on: date) -> BatchSummary:
        folder = self._folder(f"{self._area.code}-{business_date:%Y%m%d}-{serial}")
        with ExitStack() as opened:
            main = opened.enter_context(DataFile(folder / f"settlement.csv{self._request.suffix}", "settlement"))
            count = FileCount("settlement")
            children = self._children(folder, opened)
            for columns, known in chunks:
                main.write_table(settlement_table(self._area, columns, known))
                main.add_control({name: columns[name] for name in CONTROLLED})
                _count_rows(count, columns, known)
                for child in children:
                    child.write(columns, known)
        files = [main, *(file for child in children for file in child.files)]
        counts = (count, *(child_count for child in children for child_count in child.counts))
        return self._finish(folder, "settlement", business_date, f"{delivered_on}T23:30:00+08:00", files, counts)

    def _children(self, folder: Path, opened: ExitStack) -> list[FeeLines | SettlementLists]:
        children: list[FeeLines | SettlementLists] = []
        if self._request.fee_lines:
            children.append(FeeLines(self._area, self._catalogue, self._request, folder, opened))
        if self._request.lists != "none":
            children.append(SettlementLists(self._area, self._request, folder, opened))
        return children

    def _declaration(self, business_date: date, totals: DayTotals) -> BatchSummary:
        folder = self._folder(f"{self._area.code}-{business_date:%Y%m%d}-D1")
        with DataFile(folder / "declaration.csv", "declaration") as file:
            file.write_rows(DECLARATION_HEADER, totals.rows(business_date))
        count = FileCount("declaration", read=file.rows)
        return self._finish(folder, "declaration", business_date, f"{business_date}T23:45:00+08:00", [file], (count,))

    def _reference(self) -> BatchSummary:
        folder = self._folder(f"{self._area.code}-reference-{self._request.start:%Y%m%d}")
        files = []
        for table, (header, rows) in reference_tables(self._request, self._area, self._catalogue).items():
            with DataFile(folder / f"{table}.csv", table) as file:
                file.write_rows(header, rows)
            files.append(file)
        created_at = f"{self._request.start - timedelta(days=1)}T09:00:00+08:00"
        counts = tuple(FileCount(file.table, read=file.rows) for file in files)
        return self._finish(folder, "reference", None, created_at, files, counts)

    def _folder(self, batch_id: str) -> Path:
        folder = self._directory / batch_id
        if (folder / "manifest.json").exists():
            raise SettlementError(
                "sample_exists", f"{folder} holds a batch already.", hint="Choose another directory or other dates."
            )
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _finish(
        self,
        folder: Path,
        kind: str,
        business_date: date | None,
        created_at: str,
        files: list[DataFile],
        counts: tuple[FileCount, ...],
    ) -> BatchSummary:
        write_manifest(
            folder,
            kind=kind,
            area_code=self._area.code,
            business_date=business_date,
            created_at=created_at,
            sender=self._sender,
            files=files,
        )
        return BatchSummary(folder.name, kind, business_date, counts)


def _count_rows(count: FileCount, columns: Columns, known: list[Fault]) -> None:
    count.read += len(columns["number"])
    count.pending += int(columns["pending"].sum())
    count.repeated += int(columns["repeated"].sum())
    per_fault = np.bincount(columns["fault"], minlength=len(known) + 1)[1:]
    count.quarantined += int(per_fault.sum())
    for fault, rows in zip(known, per_fault, strict=True):
        if rows:
            count.reasons[fault.reason] += int(rows)
