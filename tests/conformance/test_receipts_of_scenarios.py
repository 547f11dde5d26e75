"""Every scenario's batches, received in its order, give exactly the receipts it expects."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Warehouse

from settlement.intake import receive

COUNTS = ("read", "accepted", "quarantined", "repeated", "pending")


def scenarios(root: Path) -> list[Path]:
    return sorted(path.parent for path in (root / "batches").glob("*/timeline.json"))


def test_receipts_are_exactly_those_expected(warehouse: Warehouse, conformance_data: Path) -> None:
    assert scenarios(conformance_data)
    for scenario in scenarios(conformance_data):
        expected = json.loads((scenario / "expected.json").read_text())["receipts"]
        found: dict[str, Any] = {}
        for step in json.loads((scenario / "timeline.json").read_text()):
            if step["do"] in ("receive", "receipts"):
                shutil.copytree(
                    scenario / "inbox" / step["batch_id"], warehouse.inbox / step["batch_id"], dirs_exist_ok=True
                )
                found[step["batch_id"]] = receive(step["batch_id"]).as_json()
        for batch_id, want in expected.items():
            receipt = found[batch_id]
            sums = {name: sum(file[name] for file in receipt["files"]) for name in COUNTS}
            got = {"status": receipt["status"], **sums, "reasons": receipt["reasons"]}
            assert got == want, f"{scenario.name} {batch_id}"
        refused = {batch_id: receipt for batch_id, receipt in found.items() if receipt["status"] == "refused"}
        assert not refused, pytest.fail(f"{scenario.name}: {refused}")
