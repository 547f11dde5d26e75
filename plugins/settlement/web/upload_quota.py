"""How many bytes of a day an account may deliver: a disk that one sender fills is full for all.

It lives in the memory of one api-server process; with N processes an account may deliver N times as much.
"""

import math
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from settlement.web.rate_limit import RetryLater
from settlement.web.settings import whole_number

SECONDS_OF_A_DAY = 86_400
MIB = 1024 * 1024
KEPT_MAX = 10_000


@dataclass
class _Used:
    bytes: float
    at: float


class UploadQuota:
    """Counts bytes; what was used goes back evenly over a day."""

    def __init__(self, bytes_a_day: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes_a_day = bytes_a_day
        self._clock = clock
        self._used: dict[str, _Used] = {}

    async def counted(self, account: str, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the body, and count it. Raises RetryLater: ``upload_quota_used``."""
        self._require_room(account)
        async for chunk in body:
            self._now_used(account).bytes += len(chunk)
            self._require_room(account)
            yield chunk

    def _require_room(self, account: str) -> None:
        over = self._now_used(account).bytes - self._bytes_a_day
        if over <= 0:
            return
        seconds = math.ceil(over / self._bytes_a_day * SECONDS_OF_A_DAY) or 1
        raise RetryLater(
            "upload_quota_used",
            f"{account} has delivered more than {self._bytes_a_day // MIB} MiB within a day (当日报送字节数已达上限)",
            f"deliver again in {seconds} s, or ask for a larger quota (请稍后再报送, 或申请提高限额)",
            seconds,
        )

    def _now_used(self, account: str) -> _Used:
        now = self._clock()
        if len(self._used) >= KEPT_MAX and account not in self._used:
            self._forget_unused(now)
        used = self._used.setdefault(account, _Used(0.0, now))
        self._give_back(used, now)
        return used

    def _give_back(self, used: _Used, now: float) -> None:
        used.bytes = max(0.0, used.bytes - (now - used.at) / SECONDS_OF_A_DAY * self._bytes_a_day)
        used.at = now

    def _forget_unused(self, now: float) -> None:
        for account, used in list(self._used.items()):
            self._give_back(used, now)
            if not used.bytes:
                del self._used[account]


QUOTA = UploadQuota(whole_number("SETTLEMENT_UPLOAD_MIB_A_DAY", 65_536) * MIB)
