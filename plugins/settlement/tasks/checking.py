"""What every run that books does first: judge what was accepted once more, by Great Expectations, beside the gate.

A batch that breaks a critical rule is stopped: it is left out of all that follows, and the last step fails for it.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from settlement.errors import SettlementError
from settlement.tasks.parameters import triggered_by
from settlement.tasks.step import step

log = logging.getLogger(__name__)


@step(task_id="check_expectations")
def check_expectations() -> dict[str, Any]:
    """Judge everything accepted since the last run, and what stands stopped. Returns what was judged and found.

    Raises:
        SettlementError: ``expectations_failed`` for reference data, which decide about everybody.
    """
    from settlement.gate.expectations import validate_accepted

    return asdict(validate_accepted(started_by=triggered_by()))


def build_from_judged(build: Callable[[], int], *, started_by: str) -> int:
    """Build what is to be booked, and again where something accepted meanwhile is in it and does not hold.

    What comes after the build is not in it, and waits for the next run.
    """
    from settlement.gate.expectations import validate_accepted
    from settlement.gate.stopped import anything_unseen

    count = build()
    if not anything_unseen():
        return count
    late = validate_accepted(started_by=started_by)
    log.info("accepted meanwhile: %s", late.summary)
    return build() if any(failure.is_critical for failure in late.failures) else count


def failures_of_stopped_batches(area_code: str | None) -> dict[str, str]:
    """Say of each stopped batch of an area, or of every area, why nothing of it was booked."""
    from settlement.gate.stopped import stopped_batches

    remedy = "correct the register by a reference batch, or the rule where that is wrong (见运行手册: 被叫停的批次)"
    return {
        batch_id: str(SettlementError("batch_stopped", f"nothing of it was booked, it breaks {broken_rules}", remedy))
        for batch_id, broken_rules in stopped_batches(area_code).items()
    }
