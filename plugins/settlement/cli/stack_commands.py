"""`settlement up`, `down` and `info`: the local installation."""

import json
from typing import Annotated

import typer
from rich.console import Console

from settlement.local import lifecycle
from settlement.local.installation import Installation

console = Console()


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(up)
    app.command()(down)
    app.command()(info)


def up() -> None:
    """Start PostgreSQL and Airflow, and wait until they work (启动). Twice is harmless."""
    installation = lifecycle.start(report)
    show(installation)


def down() -> None:
    """Stop everything (停止). Data stays."""
    lifecycle.stop(report)
    report("stopped (已停止)")


def info(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Addresses and accounts of the running installation (地址与账号)."""
    installation = lifecycle.require_running()
    if as_json:
        print(json.dumps(lifecycle.describe(installation)))
    else:
        show(installation)


def show(installation: Installation) -> None:
    """Print the addresses for a person."""
    facts = lifecycle.describe(installation)
    console.print(f"\n[bold]Airflow[/]    {facts['airflow_url']}")
    console.print(f"           {facts['airflow_user']} / {facts['airflow_password']}", highlight=False)
    console.print(f"[bold]warehouse[/]  {facts['warehouse_dsn']}", highlight=False, soft_wrap=True)
    console.print(f"[bold]inbox[/]      {facts['inbox']}", highlight=False, soft_wrap=True)
    console.print(f"[bold]outbox[/]     {facts['outbox']}", highlight=False, soft_wrap=True)
    console.print(f"[bold]logs[/]       {installation.logs}", highlight=False, soft_wrap=True)
    console.print("stop: make down (停止)")


def report(line: str) -> None:
    """Print one line of progress."""
    console.print(line, highlight=False)
