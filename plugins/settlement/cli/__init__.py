"""The command `settlement`: one module a group of commands, each with `register(app)`."""

from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from settlement.cli import (
    delivery_commands,
    demo_commands,
    explain_commands,
    grouping_commands,
    ledger_commands,
    sample_commands,
    stack_commands,
)
from settlement.errors import SettlementError


class Commands(TyperGroup):
    """Turns an error that a person can mend into a message and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SettlementError as error:
            console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
            console.print(f"✗ {error.message}  ({error.code})", style="red")
            if error.hint:
                console.print(f"  → {error.hint}")
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=Commands,
    name="settlement",
    help="Instant settlement of the medical insurance fund (医保基金即时结算): run it, feed it, prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (
    stack_commands,
    delivery_commands,
    demo_commands,
    ledger_commands,
    explain_commands,
    grouping_commands,
    sample_commands,
):
    group.register(app)
