"""A token bucket per account: a client in a loop is slowed down, the others do not notice.

It lives in the memory of one api-server process; with N processes an account may call N times as often.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from settlement.errors import SettlementError
from settlement.web.settings import whole_number

# Buckets that are full again say nothing: beyond this many they are forgotten.
BUCKETS_MAX = 10_000


class RetryLater(SettlementError):
    """Nothing was done, and nothing is kept of the call; after `seconds` (whole ones) it may come again."""

    def __init__(self, code: str, message: str, hint: str, seconds: int) -> None:
        super().__init__(code, message, hint)
        self.seconds = seconds


class RateLimited(RetryLater):
    """Too many calls; `seconds` says after how many whole seconds the next one succeeds."""

    def __init__(self, account: str, per_minute: int, seconds: int, what: str = "calls 调用") -> None:
        super().__init__(
            "rate_limited",
            f"{account}: more than {per_minute} {what} a minute (超过每分钟上限)",
            f"call again in {seconds} s; follow runs at intervals of seconds, not in a loop (请 {seconds} 秒后再试)",
            seconds,
        )


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """Allows `per_minute` calls a minute for each account, also as one burst; the rest is refused."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic, what: str = "calls 调用") -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._what = what
        self._buckets: dict[str, _Bucket] = {}

    def take(self, account: str) -> None:
        """Count one call. Raises RateLimited."""
        now = self._clock()
        if len(self._buckets) >= BUCKETS_MAX and account not in self._buckets:
            self._forget_full_ones(now)
        bucket = self._buckets.setdefault(account, _Bucket(self._per_minute, now))
        self._fill(bucket, now)
        if bucket.tokens < 1:
            seconds = math.ceil((1 - bucket.tokens) / self._per_second)
            raise RateLimited(account, self._per_minute, seconds, self._what)
        bucket.tokens -= 1

    @property
    def _per_second(self) -> float:
        return self._per_minute / 60

    def _fill(self, bucket: _Bucket, now: float) -> None:
        bucket.tokens = min(self._per_minute, bucket.tokens + (now - bucket.filled_at) * self._per_second)
        bucket.filled_at = now

    def _forget_full_ones(self, now: float) -> None:
        for account, bucket in list(self._buckets.items()):
            self._fill(bucket, now)
            if bucket.tokens >= self._per_minute:
                del self._buckets[account]


LIMIT = RateLimit(whole_number("SETTLEMENT_API_CALLS_PER_MINUTE", 300))
RUN_STARTS = RateLimit(whole_number("SETTLEMENT_API_RUNS_PER_MINUTE", 60), what="runs started 启动运行")
