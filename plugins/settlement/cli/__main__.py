"""`python -m settlement.cli`."""

from settlement.cli import main

main()
