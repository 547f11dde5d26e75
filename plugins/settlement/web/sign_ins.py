"""Tries at passwords: after a few wrong ones in a row an account is told to wait, longer each time, at that address.

An account is counted by the address that tries it, so that nobody locks somebody else out. What is kept is bounded; it
lives in the memory of one api-server process.
"""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from settlement.tasks.alerts import SIGN_INS_FAILED
from settlement.web.rate_limit import RetryLater
from settlement.web.settings import whole_number

log = logging.getLogger(__name__)

KEPT_MAX = 10_000
LONGEST_PAUSE_SECONDS = 300.0
ALARM_EVERY = 10
"""Wrong passwords in a row of an account, or of an address whatever account it tries, after each so many of which
monitoring is told."""


@dataclass
class _Tries:
    failed: int = 0
    pause_ends_at: float = 0.0


class SignIns:
    """Counts wrong passwords in a row."""

    def __init__(self, free_tries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free_tries = free_tries
        self._clock = clock
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()

    def require_no_pause(self, account: str, address: str) -> None:
        """Let the password be looked at. Raises RetryLater: ``sign_in_paused``."""
        seconds = self._of(account, address).pause_ends_at - self._clock()
        if seconds > 0:
            whole = math.ceil(seconds)
            raise RetryLater(
                "sign_in_paused",
                "too many wrong passwords for this account from this address (登录失败次数过多)",
                f"try again in {whole} s, or have an administrator set a new password (请 {whole} 秒后再试或重置密码)",
                whole,
            )

    def failed(self, account: str, address: str) -> None:
        """Count a wrong password; each beyond the free ones doubles the pause."""
        tries = self._of(account, address)
        tries.failed += 1
        over = tries.failed - self._free_tries
        if over >= 0:
            tries.pause_ends_at = self._clock() + min(2.0**over, LONGEST_PAUSE_SECONDS)
        if account and tries.failed % ALARM_EVERY == 0:
            log.error("%s: account %r from %s, %d in a row", SIGN_INS_FAILED, account[:100], address, tries.failed)
        everywhere = self._of("", address)
        everywhere.failed += 1
        if everywhere.failed % (5 * ALARM_EVERY) == 0:
            log.error("%s: from %s, %d of all accounts", SIGN_INS_FAILED, address, everywhere.failed)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the wrong ones."""
        self._tries.pop((account, address), None)

    def _of(self, account: str, address: str) -> _Tries:
        """Give what is kept, and make it the last to be forgotten."""
        tries = self._tries.setdefault((account, address), _Tries())
        self._tries.move_to_end((account, address))
        while len(self._tries) > KEPT_MAX:
            self._tries.popitem(last=False)
        return tries


SIGN_INS = SignIns(whole_number("SETTLEMENT_SIGN_IN_TRIES", 5))
