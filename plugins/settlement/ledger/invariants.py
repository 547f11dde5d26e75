"""What must always be true of the books: checked for each posting run before it commits, and for all of them on demand.

Each invariant is a statement that returns what breaks it. Every one is a sum over entries, so what held before a run
and holds for the run itself holds afterwards: checking only the run keeps a day's cost independent of history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from settlement.errors import SettlementError
from settlement.statements import statement

ENTRIES_BALANCE = "entries_balance"
TRIAL_BALANCE = "trial_balance"
PAYABLE_IDENTITY = "payable_identity"
PAYMENTS_MATCH = "payments_match"
ENTRIES_SEALED = "entries_sealed"
INVARIANTS = (ENTRIES_SEALED, ENTRIES_BALANCE, TRIAL_BALANCE, PAYABLE_IDENTITY, PAYMENTS_MATCH)
# That a run is sealed and that its entries balance the ledger itself has just proved, over the same rows, when it took
# them. An entry has one area, fund and date, so a run whose entries balance leaves the trial balance at zero.
OF_A_RUN = (PAYABLE_IDENTITY, PAYMENTS_MATCH)

_ALL = {
    "entries": sql.SQL("(%(area_code)s::text is null or entry.area_code = %(area_code)s)"),
    "instructions": sql.SQL("(%(area_code)s::text is null or payment_instruction.area_code = %(area_code)s)"),
    "payment_events": sql.SQL("(%(area_code)s::text is null or payment_instruction.area_code = %(area_code)s)"),
    "batch_days": sql.SQL("(%(area_code)s::text is null or accrued.area_code = %(area_code)s)"),
}
_OF_RUN = sql.SQL("(select source_id::uuid from ledger.entry where posting_run_id = %(posting_run_id)s and event {})")
_RUN = {
    "entries": sql.SQL("entry.posting_run_id = %(posting_run_id)s"),
    "instructions": sql.SQL("payment_instruction.instruction_id in {}").format(
        _OF_RUN.format(sql.SQL("= 'instructed'")),
    ),
    "payment_events": sql.SQL("payment_event.bank_entry_id in {}").format(
        _OF_RUN.format(sql.SQL("in ('paid', 'rejected', 'returned')")),
    ),
}


@dataclass(frozen=True)
class Breach:
    """One place where an invariant does not hold."""

    invariant: str
    subject: str
    finding: str


def check_run(connection: psycopg.Connection[Any], posting_run_id: int) -> None:
    """Prove the invariants for what one posting run brought, inside its transaction.

    Raises:
        SettlementError: ``invariant_broken``, naming the invariant and the first place; nothing may be committed.
    """
    for invariant in OF_A_RUN:
        breaches = _breaches(connection, invariant, _RUN, {"posting_run_id": posting_run_id})
        if breaches:
            raise SettlementError(
                "invariant_broken",
                f"this posting would break {invariant}: {breaches[0].subject}: {breaches[0].finding}",
                "nothing was posted; the model that proposed these entries is wrong (账不平, 未入账)",
            )


def check_books(connection: psycopg.Connection[Any], area_code: str | None = None) -> list[Breach]:
    """Return every breach, at most twenty of each invariant, in the books of one area or of all."""
    return [
        breach
        for invariant in INVARIANTS
        for breach in _breaches(connection, invariant, _ALL, {"area_code": area_code})
    ]


def _breaches(
    connection: psycopg.Connection[Any],
    invariant: str,
    scope: Mapping[str, sql.Composable],
    parameters: dict[str, Any],
) -> list[Breach]:
    query = statement("settlement.ledger", f"invariant_{invariant}").format(**scope)
    return [Breach(invariant, subject, finding) for subject, finding in connection.execute(query, parameters)]
