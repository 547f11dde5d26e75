"""A sample goes through the gate as it says it will: every good row accepted, each bad one refused for its reason."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from settlement.intake import receive
from settlement.sample import write_batches


@pytest.mark.parametrize(("lists", "account_in_fund"), [("csv", False), ("json4101", True)])
def test_receipts_count_what_the_sample_foretold(warehouse, lists, account_in_fund):
    summary = write_batches(
        Path(warehouse.inbox),
        area_code="330100",
        start=date(2026, 2, 27),
        days=2,
        per_day=600,
        bad_share=0.04,
        late_share=0.01,
        fee_lines=True,
        lists=lists,
        declarations=True,
        budgets=True,
        fund_sum_includes_account=account_in_fund,
    )
    accepted = 0
    for batch in summary.batches:
        receipt = receive(batch.batch_id)
        assert receipt.status == "accepted", (batch.batch_id, receipt.error)
        expected: Counter[str] = Counter()
        for file in batch.files:
            found = next(entry for entry in receipt.files if entry["table"] == file.table)
            counts = {name: found[name] for name in ("read", "accepted", "quarantined", "repeated", "pending")}
            assert counts == {name: getattr(file, name) for name in counts}, (batch.batch_id, file.table)
            expected.update(file.reasons)
            accepted += file.accepted if file.table == "settlement" else 0
        assert Counter(receipt.reasons) == expected, batch.batch_id
    assert warehouse.rows("select count(*) from raw.settlement") == [(accepted + summary.refunds_pending,)]
    assert warehouse.rows("select count(*) from intake.pending_refund where outcome is null") == [(0,)]
