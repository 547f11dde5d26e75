"""`settlement up`, `down`, `info` and `migrate`: the local installation, and a warehouse on a server."""

import json
import os
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console

from settlement.errors import SettlementError
from settlement.local import lifecycle
from settlement.local.installation import Installation
from settlement.warehouse import dbt
from settlement.warehouse.connect import ROLES, dsn_of
from settlement.warehouse.migrate import migrate as apply_migrations

console = Console()


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(up)
    app.command()(down)
    app.command()(info)
    app.command()(migrate)


def up() -> None:
    """Start PostgreSQL and Airflow, and wait until they work (启动).

    What runs already is left alone, or started again where the code has changed since.
    """
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


def migrate() -> None:
    """Bring a warehouse on a server up to date (升级数据仓库); `up` does so for the local one.

    SETTLEMENT_DATABASE_URL is the administrator's address, and each SETTLEMENT_<ROLE>_DSN carries the password that
    the role is given.
    """
    admin_dsn = os.environ.get("SETTLEMENT_DATABASE_URL")
    if not admin_dsn:
        raise SettlementError(
            "setting_missing",
            "SETTLEMENT_DATABASE_URL is not set (未设置数据库管理员地址)",
            "set it to postgresql://administrator:password@host/database",
        )
    passwords = {role: str(conninfo_to_dict(dsn_of(role)).get("password", "")) for role in ROLES}
    for name in apply_migrations(admin_dsn, passwords):
        report(f"applied {name}")
    if dbt.prepare():
        report("models created")


def show(installation: Installation) -> None:
    """Print the addresses for a person; passwords on a terminal only, never into the log of another program."""
    facts = lifecycle.describe(installation)
    console.print(f"\n[bold]Airflow[/]    {facts['airflow_url']}")
    if console.is_terminal:
        console.print(f"           {facts['airflow_user']} / {facts['airflow_password']}", highlight=False)
        console.print(f"[bold]warehouse[/]  {facts['warehouse_dsn']}", highlight=False, soft_wrap=True)
    else:
        console.print(f"           {facts['airflow_user']}, password: settlement info --json (口令不写入日志)")
    console.print(f"[bold]inbox[/]      {facts['inbox']}", highlight=False, soft_wrap=True)
    if not os.environ.get("SETTLEMENT_MASTER_DATA_RELEASERS"):
        console.print(
            "[yellow]Nobody looks at delivered accounts and thresholds a second time here: "
            "SETTLEMENT_MASTER_DATA_RELEASERS names nobody (本地未设主数据复核人)[/]"
        )
    console.print(f"[bold]outbox[/]     {facts['outbox']}", highlight=False, soft_wrap=True)
    console.print(f"[bold]logs[/]       {installation.logs}", highlight=False, soft_wrap=True)
    console.print(
        "DAGs start over the API or by hand; SETTLEMENT_SCHEDULES=on runs them by the clock too (定时默认关闭)"
    )
    console.print("stop: make down (停止)")


def report(line: str) -> None:
    """Print one line of progress."""
    console.print(line, highlight=False)
