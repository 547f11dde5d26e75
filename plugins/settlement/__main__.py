"""`python -m settlement`."""

from settlement.cli import main

main()
