"""The switch for schedules: an installation on a laptop moves no money by the clock."""

import os
from typing import Any


def scheduled(schedule: Any) -> Any:
    """Give the schedule, or None where ``SETTLEMENT_SCHEDULES`` is ``off``: then runs start over the API or by hand.

    The local installation sets it off. A payment run by the clock would move an area's pay date to today, after which
    no earlier date can be paid, and sample data lies in the past.
    """
    return None if os.environ.get("SETTLEMENT_SCHEDULES", "on") == "off" else schedule
