"""`settlement deliver`, `receive`, `settle`, `receipts`, `book`: the calls of a provincial platform, over REST."""

import json
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from settlement.cli import airflow_runs
from settlement.cli.delivery import batches_in, copy_to_inbox
from settlement.cli.warehouse_access import use_warehouse
from settlement.intake import attempts
from settlement.local.airflow_api import AirflowApi

console = Console()

REFUSED_OR_HELD = 3
Seconds = Annotated[float, typer.Option(help="How long to follow each run.")]
BatchId = Annotated[str, typer.Argument(help="The batch's id, which is the name of its folder (批次号).")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(deliver)
    app.command()(receive)
    app.command()(retry)
    app.command()(settle)
    app.command()(receipts)
    app.command()(book)


def deliver(
    directory: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A batch folder, or a folder of batch folders.")
    ],
    seconds: Seconds = 600.0,
) -> None:
    """Put batches into the inbox, receive each, and show its receipt (送达).

    Bank receipts are recorded as well. Delivering the same batch again changes nothing; one that was refused may come
    again, mended. Exit code 3: at least one batch is refused or held.
    """
    api, facts = airflow_runs.connect()
    worst = 0
    for batch in batches_in(directory):
        run_id = copy_to_inbox(batch, facts["inbox"], facts["outbox"])
        outcome = _receive(api, batch.batch_id, run_id, facts["outbox"], seconds)
        worst = max(worst, outcome)
        if batch.kind == "bank_receipt" and outcome == 0:
            airflow_runs.follow(api, "record_receipts", batch.batch_id, {"batch_id": batch.batch_id}, seconds)
    raise typer.Exit(worst)


def receive(batch_id: BatchId, seconds: Seconds = 600.0) -> None:
    """Receive a batch that lies in the inbox already, and show its receipt (接收). Exit code 3: refused or held."""
    api, facts = airflow_runs.connect()
    raise typer.Exit(_receive(api, batch_id, batch_id, facts["outbox"], seconds))


def retry(batch_id: BatchId, seconds: Seconds = 600.0) -> None:
    """Receive a batch that was set aside because its load was killed twice, after its reason was mended (重试搁置批次).

    Exit code 3: refused or held.
    """
    use_warehouse()
    console.print(f"{attempts.forget(batch_id)} killed loads forgotten (已清除中断记录)", highlight=False)
    api, facts = airflow_runs.connect()
    run_id = f"{batch_id}--retry-{secrets.token_hex(4)}"
    raise typer.Exit(_receive(api, batch_id, run_id, facts["outbox"], seconds))


def settle(
    pay_date: Annotated[str, typer.Option(help="A working day, YYYY-MM-DD; every day before it is settled (拨付日).")],
    area: Annotated[str, typer.Option(help="Six digits; without it every area (统筹区).")] = "",
    seconds: Seconds = 1200.0,
) -> None:
    """Settle every business date before the pay date and pay what is due (结算拨付). Twice pays nothing twice."""
    api, _ = airflow_runs.connect()
    conf = {"pay_date": pay_date, "area_code": area or None}
    run_id = "-".join(filter(None, ["pay", pay_date, area]))
    airflow_runs.follow(api, "settle_day", run_id, conf, seconds)


def receipts(batch_id: BatchId, seconds: Seconds = 600.0) -> None:
    """Record what the bank answered in a received bank receipt batch (回单入账)."""
    api, _ = airflow_runs.connect()
    airflow_runs.follow(api, "record_receipts", batch_id, {"batch_id": batch_id}, seconds)


def book(
    month: Annotated[str, typer.Option(help="The settlement month, YYYY-MM (结算月).")],
    area: Annotated[str, typer.Option(help="Six digits; without it every area (统筹区).")] = "",
    seconds: Seconds = 1800.0,
) -> None:
    """Book a month's inpatient cases by disease group (入组记账). Twice books nothing twice."""
    api, _ = airflow_runs.connect()
    run_id = "-".join(filter(None, ["book", month, area, secrets.token_hex(4)]))
    airflow_runs.follow(api, "book_month", run_id, {"month": month, "area_code": area or None}, seconds)


def _receive(api: AirflowApi, batch_id: str, run_id: str, outbox: str, seconds: float) -> int:
    """Receive, print the receipt, and give the exit code."""
    receipt = airflow_runs.receive(api, batch_id, run_id, outbox, seconds)
    _show_receipt(receipt, outbox)
    return 0 if receipt["status"] in ("accepted", "duplicate") else REFUSED_OR_HELD


def _show_receipt(receipt: dict[str, Any], outbox: str) -> None:
    table = Table(title=f"{receipt['batch_id']}  {receipt['status']}", title_justify="left")
    table.add_column("file")
    counts = ("read", "accepted", "quarantined", "repeated", "pending")
    for count in counts:
        table.add_column(count, justify="right")
    for file in receipt.get("files", []):
        table.add_row(file["name"], *(f"{file[count]:,}" for count in counts))
    console.print(table)
    if error := receipt.get("error"):
        console.print(f"✗ {error['message']}  ({error['code']})", style="red", markup=False, soft_wrap=True)
        if error.get("hint"):
            console.print(f"  → {error['hint']}", markup=False, soft_wrap=True)
    if reasons := receipt.get("reasons"):
        console.print(f"reasons: {json.dumps(reasons, ensure_ascii=False)}", highlight=False, soft_wrap=True)
        refused_rows = f"{outbox.rstrip('/')}/{receipt['batch_id']}/rejected.csv"
        console.print(f"refused rows (被拒行): {refused_rows}", highlight=False, markup=False, soft_wrap=True)
    for warning in receipt.get("warnings", []):
        console.print(f"! {warning}", style="yellow", markup=False, soft_wrap=True)
