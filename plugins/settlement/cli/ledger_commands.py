"""`settlement verify-ledger`: prove the books over all history (账簿验真)."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from upath import UPath

from settlement.cli.auditor import use_auditor
from settlement.ledger.seals import ChainVerification
from settlement.ledger.verification import LedgerProof, examine_ledger

console = Console()


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("verify-ledger")(verify_ledger)


def verify_ledger(
    area: Annotated[str, typer.Option(help="Six digits; without it every area (统筹区).")] = "",
    seals: Annotated[
        str, typer.Option(help="Folder of published seals that you have kept; default the outbox's (自行留存的封印).")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the proof as JSON.")] = False,
) -> None:
    """Recompute every seal and every invariant, and compare records, bank files and published seals (账簿验真).

    Exit code 1: broken.
    """
    use_auditor()
    proof = examine_ledger(area or None, UPath(seals) if seals else None)
    if as_json:
        typer.echo(json.dumps({"is_intact": proof.is_intact, **asdict(proof)}, ensure_ascii=False, indent=2))
    else:
        _show(proof)
    if not proof.is_intact:
        raise typer.Exit(1)


def _show(proof: LedgerProof) -> None:
    seals = Table("Area 统筹区", "Runs proved 已验批次", "Last seal 末次封印", "Finding 结论", title="Seals 封印链")
    for chain in proof.chains:
        seals.add_row(chain.area_code, f"{chain.run_count:,}", chain.last_seal[:16] + "…", _finding(chain))
    console.print(seals)
    if differing := [*proof.records.faults, *proof.outside]:
        records = Table("Record 记录", "Key 键", "Found 发现", title="Not what was sealed 与封印不符")
        for fault in differing:
            records.add_row(fault.record_type, fault.record_key, fault.fault)
        console.print(records)
    if proof.breaches:
        breaches = Table("Invariant 恒等式", "Where 位置", "Found 发现", title="Broken invariants 不成立的恒等式")
        for breach in proof.breaches:
            breaches.add_row(breach.invariant, breach.subject, breach.finding)
        console.print(breaches)
    console.print(f"[{'green' if proof.is_intact else 'bold red'}]{proof.summary}[/]", highlight=False, soft_wrap=True)


def _finding(chain: ChainVerification) -> str:
    if chain.fault is None:
        return "[green]intact 完好[/]"
    return f"[bold red]run {chain.fault.posting_run_id} {chain.fault.fault} 自此批次起有误[/]"
