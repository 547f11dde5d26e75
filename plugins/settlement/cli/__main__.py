"""`python -m settlement.cli`."""

from settlement.cli import app

app(prog_name="settlement")
