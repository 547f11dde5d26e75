"""The proof of the books over all history: the chains of seals and every invariant, read as auditor."""

from dataclasses import dataclass

from settlement.errors import SettlementError
from settlement.ledger.invariants import Breach, check_books
from settlement.ledger.seals import ChainVerification, verify
from settlement.warehouse import connect


@dataclass(frozen=True)
class LedgerProof:
    """What recomputing everything found."""

    chains: tuple[ChainVerification, ...]
    breaches: tuple[Breach, ...]

    @property
    def is_intact(self) -> bool:
        """Whether every seal and every invariant holds."""
        return not self.breaches and all(chain.fault is None for chain in self.chains)

    @property
    def summary(self) -> str:
        """One line for a run's note."""
        runs = sum(chain.run_count for chain in self.chains)
        if self.is_intact:
            return f"ledger intact 账簿完好: {runs} posting runs of {len(self.chains)} areas sealed, balanced"
        faults = [chain.fault for chain in self.chains if chain.fault]
        seals = [f"area {fault.area_code} run {fault.posting_run_id} {fault.fault}" for fault in faults]
        first = [f"{breach.invariant} {breach.subject}: {breach.finding}" for breach in self.breaches[:3]]
        return "ledger broken 账簿有误: " + "; ".join(seals + first)


def examine_ledger(area_code: str | None = None) -> LedgerProof:
    """Recompute the books of one area, or of all, in one snapshot; says what is wrong instead of raising."""
    with connect("auditor") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        return LedgerProof(tuple(verify(connection, area_code)), tuple(check_books(connection, area_code)))


def verify_ledger(area_code: str | None = None) -> LedgerProof:
    """Recompute the books of one area, or of all.

    Raises:
        SettlementError: ``ledger_broken``, naming the first broken posting run of each area and what does not add up.
    """
    proof = examine_ledger(area_code)
    if not proof.is_intact:
        raise SettlementError(
            "ledger_broken",
            proof.summary,
            "stop payments and compare with a backup: rows were changed behind the guards (请停止拨付并核对备份)",
        )
    return proof
