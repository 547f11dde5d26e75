"""`settlement sample` and `settlement sample-bank`: invented batches, and a bank's answers to payment files."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from settlement.errors import SettlementError

console = Console()


class Lists(StrEnum):
    """How inpatient lists are written."""

    NONE = "none"
    CSV = "csv"
    JSON4101 = "json4101"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(sample)
    app.command("sample-bank")(sample_bank)


def sample(
    area: Annotated[str, typer.Option(help="Six digits (统筹区).")],
    start: Annotated[str, typer.Option(help="First business date, YYYY-MM-DD (起始业务日期).")] = "2026-02-27",
    days: Annotated[int, typer.Option(help="Business dates, weekends too (天数).")] = 3,
    per_day: Annotated[int, typer.Option(help="Settlement rows a day, refunds and bad rows included.")] = 1000,
    out: Annotated[Path, typer.Option(help="Where the batch folders go.")] = Path("sample"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    institutions: Annotated[int, typer.Option(help="A third of them pharmacies.")] = 40,
    bad_share: Annotated[float, typer.Option(help="Share of rows that break a rule.")] = 0.02,
    refund_share: Annotated[float, typer.Option(help="Share of rows that are refunds.")] = 0.05,
    late_share: Annotated[float, typer.Option(help="Share of settlements that come after the next day's.")] = 0.005,
    fee_lines: Annotated[bool, typer.Option(help="Fee lines, about five a settlement (费用明细).")] = False,
    lists: Annotated[Lists, typer.Option(help="Inpatient lists (结算清单).")] = Lists.NONE,
    declarations: Annotated[bool, typer.Option(help="Declarations, and an area that requires them (对账).")] = False,
    account_in_fund: Annotated[bool, typer.Option(help="The fund total counts the personal account (个账).")] = False,
    reject_limit: Annotated[float, typer.Option(help="Share of a file above which a batch is held (挂起).")] = 0.3,
    budgets: Annotated[bool, typer.Option(help="Fund and institution budgets.")] = False,
) -> None:
    """Write invented batches to the input contract (生成测试数据), and say what their receipts will show."""
    from settlement.sample import write_batches

    summary = write_batches(
        out,
        area_code=area,
        start=_day(start),
        days=days,
        per_day=per_day,
        seed=seed,
        institutions=institutions,
        bad_share=bad_share,
        refund_share=refund_share,
        late_share=late_share,
        fee_lines=fee_lines,
        lists=lists.value,
        declarations=declarations,
        fund_sum_includes_account=account_in_fund,
        budgets=budgets,
        reject_limit=reject_limit,
    )
    table = Table(title=f"{out}: deliver in this order (按此顺序送达)", title_justify="left")
    for heading in ("batch", "file"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", "accepted", "quarantined", "repeated", "pending"):
        table.add_column(heading, justify="right")
    for batch in summary.batches:
        if batch.kind == "reference":
            table.add_row(batch.batch_id, f"{len(batch.files)} files", str(sum(file.read for file in batch.files)))
            continue
        for file in batch.files:
            counts = (file.read, file.accepted, file.quarantined, file.repeated, file.pending)
            table.add_row(batch.batch_id, file.table, *(f"{count:,}" for count in counts))
    console.print(table)


def sample_bank(
    payment_file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A pain.001.001.09 file.")],
    area: Annotated[str, typer.Option(help="Six digits (统筹区).")],
    booked_on: Annotated[str, typer.Option(help="The day the bank books, YYYY-MM-DD (入账日).")],
    out: Annotated[Path, typer.Option(help="Where the batch folder goes.")] = Path("sample"),
    reject_share: Annotated[float, typer.Option(help="Share of the payments that it rejects.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Which payments are rejected.")] = 7,
) -> None:
    """Answer a payment file as a bank would: booked entries and rejections as a batch (模拟银行回单)."""
    from settlement.sample.bank import answer_payment_file

    batch_id = answer_payment_file(
        payment_file,
        area_code=area,
        booked_on=_day(booked_on),
        directory=out,
        reject_share=reject_share,
        seed=seed,
    )
    console.print(f"✓ {out / batch_id}", highlight=False, soft_wrap=True)


def _day(text: str) -> date:
    """Read a date. Raises SettlementError: date_invalid."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettlementError("date_invalid", f"{text!r} is no date (日期无效): {error}", "write YYYY-MM-DD") from error
