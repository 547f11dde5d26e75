"""`python -m settlement`."""

from settlement.cli import app

app(prog_name="settlement")
