"""A token bucket per account: a client in a loop is slowed down, the others do not notice.

It lives in the memory of one api-server process; with N processes an account may call N times as often.
"""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from settlement.errors import SettlementError


class RateLimited(SettlementError):
    """Too many calls; `seconds` says after how many whole seconds the next one succeeds."""

    def __init__(self, account: str, per_minute: int, seconds: int) -> None:
        super().__init__(
            "rate_limited",
            f"{account} made more than {per_minute} calls a minute",
            f"call again in {seconds} s; follow runs at intervals of seconds, not in a loop",
        )
        self.seconds = seconds


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """Allows `per_minute` calls a minute for each account, also as one burst; the rest is refused."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, account: str) -> None:
        """Count one call. Raises RateLimited."""
        now = self._clock()
        bucket = self._buckets.setdefault(account, _Bucket(self._per_minute, now))
        per_second = self._per_minute / 60
        bucket.tokens = min(self._per_minute, bucket.tokens + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            raise RateLimited(account, self._per_minute, math.ceil((1 - bucket.tokens) / per_second))
        bucket.tokens -= 1


def _configured() -> int:
    """Read SETTLEMENT_API_CALLS_PER_MINUTE.

    Raises:
        SettlementError: ``setting_invalid`` when it is not a whole number above zero.
    """
    text = os.environ.get("SETTLEMENT_API_CALLS_PER_MINUTE", "300")
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettlementError(
            "setting_invalid",
            f"SETTLEMENT_API_CALLS_PER_MINUTE is {text!r}, not a whole number above zero",
            "unset it to allow 300",
        )
    return int(text)


LIMIT = RateLimit(_configured())
