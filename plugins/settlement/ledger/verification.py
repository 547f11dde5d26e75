"""The proof of the books over all history: the seals of entries and records, every invariant, and what was published.

Read as auditor.
"""

from dataclasses import dataclass

from upath import UPath

from settlement.errors import SettlementError
from settlement.intake.folders import outbox
from settlement.ledger import published
from settlement.ledger.invariants import Breach, check_books
from settlement.ledger.records import RecordFault, RecordVerification, verify_records
from settlement.ledger.seals import ChainVerification, verify
from settlement.warehouse import connect


@dataclass(frozen=True)
class LedgerProof:
    """What recomputing everything found."""

    chains: tuple[ChainVerification, ...]
    breaches: tuple[Breach, ...]
    records: RecordVerification
    outside: tuple[RecordFault, ...]
    """Bank files and published seals that differ from what the database holds."""

    @property
    def is_intact(self) -> bool:
        """Whether every seal and every invariant holds, and what stands outside is what is kept here."""
        has_faults = self.breaches or self.records.faults or self.outside
        return not has_faults and all(chain.fault is None for chain in self.chains)

    @property
    def summary(self) -> str:
        """One line for a run's note."""
        runs = sum(chain.run_count for chain in self.chains)
        if self.is_intact:
            return (
                f"ledger intact 账簿完好: {runs} posting runs of {len(self.chains)} areas sealed, balanced; "
                f"{self.records.seal_count} seals over records 记录封印"
            )
        faults = [chain.fault for chain in self.chains if chain.fault]
        seals = [f"area {fault.area_code} run {fault.posting_run_id} {fault.fault}" for fault in faults]
        first = [f"{breach.invariant} {breach.subject}: {breach.finding}" for breach in self.breaches[:3]]
        differing = [*self.records.faults, *self.outside][:3]
        records = [f"{fault.record_type} {fault.record_key} {fault.fault}" for fault in differing]
        return "ledger broken 账簿有误: " + "; ".join(seals + first + records)


def examine_ledger(area_code: str | None = None, seals: UPath | None = None) -> LedgerProof:
    """Recompute the books of one area, or of all, in one snapshot; says what is wrong instead of raising.

    Args:
        area_code: Six digits. Records are sealed in one chain and proved whole, whatever the area.
        seals: A folder of published seals that an auditor has kept; by default the outbox's.
    """
    with connect("auditor") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        outside = published.published_faults(connection, seals or outbox() / published.FOLDER)
        outside += published.outbox_faults(connection, area_code)
        return LedgerProof(
            tuple(verify(connection, area_code)),
            tuple(check_books(connection, area_code)),
            verify_records(connection),
            tuple(outside),
        )


def verify_ledger(area_code: str | None = None) -> LedgerProof:
    """Recompute the books of one area, or of all.

    Raises:
        SettlementError: ``ledger_broken``, naming the first broken posting run of each area, what does not add up, and
            which records or files are not what was sealed.
    """
    proof = examine_ledger(area_code)
    if not proof.is_intact:
        raise SettlementError(
            "ledger_broken",
            proof.summary,
            "stop payments and compare with a backup: rows were changed behind the guards (请停止拨付并核对备份)",
        )
    return proof
