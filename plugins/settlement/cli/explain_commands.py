"""`settlement explain`: one settlement to the money in the account, or one payment back to its settlements."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from settlement.cli.auditor import use_auditor
from settlement.ledger.explanation import Section
from settlement.ledger.explanation import explain as explain_identifier

console = Console()


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(explain)


def explain(
    identifier: Annotated[str, typer.Argument(help="A settlement id or an instruction id (结算单号或拨付指令号).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Follow a settlement to its payment, or a payment back to its settlements (逐笔追溯)."""
    use_auditor()
    explanation = explain_identifier(identifier)
    if as_json:
        typer.echo(json.dumps(asdict(explanation), ensure_ascii=False, indent=2, default=str))
        return
    for section in explanation.sections:
        _show(section)


def _show(section: Section) -> None:
    """Print a section: one row as name and value, several as a table, none as such."""
    if not section.rows:
        console.print(f"[bold]{section.title}[/]: none 无\n")
    elif len(section.rows) == 1:
        table = Table(title=section.title, title_justify="left", show_header=False)
        for name, value in section.rows[0].items():
            table.add_row(name, _text(value))
        console.print(table)
    else:
        table = Table(title=section.title, title_justify="left")
        for name in section.rows[0]:
            table.add_column(name, overflow="fold")
        for row in section.rows:
            table.add_row(*(_text(value) for value in row.values()))
        console.print(table)


def _text(value: object) -> str:
    return "" if value is None else str(value)
