"""Every scenario's batches, received in its order, give exactly the receipts it expects."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Warehouse

from settlement.contract.tables import TABLES
from settlement.intake import receive

COUNTS = ("read", "accepted", "quarantined", "repeated", "pending")
BANK_TABLE = "bank_receipt"
SCENARIOS = sorted(
    path.parent for path in Path(os.environ["SETTLEMENT_CONFORMANCE_DATA"]).glob("batches/*/timeline.json")
)


def tables_ahead_of_the_contract(scenario: Path) -> set[str]:
    """Tables that a scenario delivers and the contract does not have: it is of a cycle that is not built yet."""
    manifests = [json.loads(path.read_text()) for path in scenario.glob("inbox/*/manifest.json")]
    delivered = {file["table"] for manifest in manifests for file in manifest["files"]}
    return delivered - TABLES.keys() - {BANK_TABLE}


def test_the_scenarios_of_what_is_built_are_there() -> None:
    playable = {scenario.name for scenario in SCENARIOS if not tables_ahead_of_the_contract(scenario)}
    assert {"two_cities", "two_months"} <= playable


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_receipts_are_exactly_those_expected(warehouse: Warehouse, scenario: Path) -> None:
    if ahead := tables_ahead_of_the_contract(scenario):
        pytest.skip(f"the contract has no {', '.join(sorted(ahead))} yet")
    expected = json.loads((scenario / "expected.json").read_text())["receipts"]
    found: dict[str, Any] = {}
    for step in json.loads((scenario / "timeline.json").read_text()):
        if step["do"] in ("receive", "receipts"):
            shutil.copytree(scenario / "inbox" / step["batch_id"], warehouse.inbox / step["batch_id"])
            found[step["batch_id"]] = receive(step["batch_id"]).as_json()
    for batch_id, want in expected.items():
        receipt = found[batch_id]
        sums = {name: sum(file[name] for file in receipt["files"]) for name in COUNTS}
        got = {"status": receipt["status"], **sums, "reasons": receipt["reasons"]}
        assert got == want, f"{scenario.name} {batch_id}"
    refused = {batch_id: receipt for batch_id, receipt in found.items() if receipt["status"] == "refused"}
    assert not refused, f"{scenario.name}: {refused}"
