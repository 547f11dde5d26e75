"""The command `settlement`: one module a group of commands, each with `register(app)`."""

import sys
from collections.abc import Sequence

import typer
from rich.console import Console

from settlement.cli import stack_commands
from settlement.errors import SettlementError

app = typer.Typer(
    name="settlement",
    help="Instant settlement of the medical insurance fund (医保基金即时结算): run it, feed it, prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (stack_commands,):
    group.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error that a person can mend becomes a message and exit code 1."""
    try:
        app(arguments)
    except SettlementError as error:
        console = Console(stderr=True)
        console.print(f"[bold red]✗[/] {error.message}  [dim]({error.code})[/]", highlight=False, soft_wrap=True)
        if error.hint:
            console.print(f"  → {error.hint}", highlight=False, soft_wrap=True, markup=False)
        sys.exit(1)
