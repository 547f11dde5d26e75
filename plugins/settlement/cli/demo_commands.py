"""`settlement demo`: an invented area from delivered batches to money received, in an installation of its own."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from settlement.cli import airflow_runs
from settlement.cli.delivery import Batch, batches_in, copy_to_inbox, read_receipt
from settlement.errors import SettlementError
from settlement.ledger.verification import examine_ledger
from settlement.local import blank, lifecycle
from settlement.local.airflow_api import AirflowApi
from settlement.local.credentials import load_or_create
from settlement.local.installation import HOME, Installation
from settlement.local.postgres import free_port, refuse_busy_port

console = Console(highlight=False)

AREA = "330100"
FIRST_DAY = date(2026, 2, 27)
DAYS = 3  # Friday to Sunday
PAY_DATE = FIRST_DAY + timedelta(days=DAYS)
RUN_SECONDS = 900.0
REJECT_SHARE = 0.05
COUNTS = ("read", "accepted", "quarantined", "repeated", "pending")

PAYMENTS = """
    select status, count(*), sum(amount)
    from marts.fct_payment_instructions
    group by status
    order by status
"""


@dataclass(frozen=True)
class Stage:
    """The running demo: who calls, and where files go."""

    platform: AirflowApi
    approver: AirflowApi
    facts: Mapping[str, str]
    sample: Path


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(demo)


def demo(
    per_day: Annotated[int, typer.Option(help="Settlements a day (每日结算人次).")] = 1000,
    keep: Annotated[bool, typer.Option(help="Leave it running at the end (保持运行).")] = False,
) -> None:
    """A sample area from delivered batches to money received (演示): some two minutes, then everything stops.

    It works in .local/demo on free ports, beside whatever runs already, and begins anew each time.
    """
    began = time.monotonic()
    local = HOME / ".local" / "demo"
    try:
        with _step("start PostgreSQL and Airflow (启动)"):
            _begin_anew(local)
            installation = lifecycle.start(lambda line: None)
        stage = _stage(installation)
        with _step(f"invent {DAYS} days of {per_day:,} settlements (生成数据)"):
            _write_sample(stage.sample, per_day)
        receipts = _deliver(stage, batches_in(stage.sample))
        with _step(f"settle and pay on {PAY_DATE} (结算拨付)"):
            _settle(stage)
        _deliver(stage, _bank_answers(stage))
        with _step("record the bank's answers (回单入账)"):
            airflow_runs.follow(stage.platform, "record_receipts", f"bank-{PAY_DATE}", {}, RUN_SECONDS)
        _show(stage, receipts)
    finally:
        if not keep:
            lifecycle.stop(lambda line: None)
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    console.print(f"\n{minutes} min {seconds} s. Look around (查看):  SETTLEMENT_LOCAL={local} make up", soft_wrap=True)


def _begin_anew(local: Path) -> None:
    """Point this process at the demo's own installation, stop one that a killed demo left, and empty it."""
    os.environ["SETTLEMENT_LOCAL"] = str(local)
    for variable in ("SETTLEMENT_DATABASE_URL", "SETTLEMENT_INBOX", "SETTLEMENT_OUTBOX"):
        os.environ.pop(variable, None)
    lifecycle.stop(lambda line: None)
    is_blank = blank.restore(local)
    _choose_ports(Installation.current() if is_blank else None)
    if not is_blank:
        lifecycle.prepare(lambda line: None)
        blank.keep(local)


def _choose_ports(last: Installation | None) -> None:
    """Take free ports, those of last time if nobody else has them: models are made for an address."""
    ports = {
        "SETTLEMENT_PORT_AIRFLOW": last.port_airflow if last else free_port(),
        "SETTLEMENT_PORT_POSTGRES": last.port_postgres if last else free_port(),
    }
    for variable, port in ports.items():
        try:
            refuse_busy_port(port, variable)
        except SettlementError:
            port = free_port()
        os.environ[variable] = str(port)


def _stage(installation: Installation) -> Stage:
    """The demo calls as a provincial platform does, and as the person who approves."""
    passwords = load_or_create(installation.local / "secrets.json").airflow_users
    platform, approver = (
        AirflowApi(installation.airflow_url, user, passwords[user]) for user in ("platform", "approver")
    )
    return Stage(platform, approver, lifecycle.describe(installation), installation.local / "sample")


def _write_sample(directory: Path, per_day: int) -> None:
    from settlement.sample import write_batches

    write_batches(directory, area_code=AREA, start=FIRST_DAY, days=DAYS, per_day=per_day, declarations=True)


def _deliver(stage: Stage, batches: list[Batch]) -> list[dict[str, Any]]:
    """Put batches into the inbox, let one run receive all that wait there, and give their receipts."""
    with _step(f"receive {len(batches)} batches (接收)"):
        for batch in batches:
            copy_to_inbox(batch, stage.facts["inbox"], stage.facts["outbox"])
        airflow_runs.follow(stage.platform, "receive_batch", f"with-{batches[-1].batch_id}", {}, RUN_SECONDS)
    receipts = [read_receipt(batch.batch_id, stage.facts["outbox"]) for batch in batches]
    for receipt in receipts:
        if receipt["status"] != "accepted":
            raise SettlementError(
                "demo_batch_not_accepted",
                f"{receipt['batch_id']} is {receipt['status']}: {receipt}",
                "this is a fault: report it",
            )
    return receipts


def _settle(stage: Stage) -> None:
    """Run settle_day as the platform; the approver answers what is above the threshold."""

    def approve(question: Mapping[str, Any]) -> None:
        stage.approver.answer(question, "approve", {"reason": "demo 演示"})

    conf = {"pay_date": PAY_DATE.isoformat(), "area_code": AREA}
    airflow_runs.follow(stage.platform, "settle_day", f"pay-{PAY_DATE}-{AREA}", conf, RUN_SECONDS, approve)


def _bank_answers(stage: Stage) -> list[Batch]:
    """What a bank answers to the payment files in the outbox: it books all but a few that it rejects."""
    from settlement.sample.bank import answer_payment_file

    answers = stage.sample / "bank"
    for number, order in enumerate(sorted(Path(stage.facts["outbox"]).glob("payments/**/*.xml"))):
        answer_payment_file(
            order,
            area_code=AREA,
            booked_on=PAY_DATE,
            directory=answers,
            reject_share=REJECT_SHARE,
            batch_id=f"{AREA}-{PAY_DATE:%Y%m%d}-BANK{number}",
        )
    return batches_in(answers)


def _show(stage: Stage, receipts: list[dict[str, Any]]) -> None:
    """Print what came of it, read as BI tools read it."""
    table = Table(title="\nWhat came of it (结果)", title_justify="left", show_header=False)
    files = [file for receipt in receipts if receipt["kind"] == "settlement" for file in receipt["files"]]
    table.add_row("settlements 结算", ", ".join(f"{sum(file[count] for file in files):,} {count}" for count in COUNTS))
    with psycopg.connect(stage.facts["warehouse_dsn"]) as connection:
        for status, number, amount in connection.execute(PAYMENTS):
            table.add_row(f"payments {status}", f"{number:,} of {amount:,} yuan (元)")
    table.add_row("ledger 账簿", f"{'✓' if (proof := examine_ledger()).is_intact else '✗'} {proof.summary}")
    table.add_row("receipts, bank files 回执与银行文件", stage.facts["outbox"])
    console.print(table)


@contextmanager
def _step(what: str) -> Iterator[None]:
    began = time.monotonic()
    console.print(f"{what} …", end=" ")
    yield
    console.print(f"{time.monotonic() - began:.0f} s")
