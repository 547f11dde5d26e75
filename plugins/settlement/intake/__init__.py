"""From the inbox to accepted rows: receive a batch, judge it, load it once, answer it."""

from settlement.intake.receipts import Receipt
from settlement.intake.receive import receive, waiting_batches

__all__ = ["Receipt", "receive", "waiting_batches"]
