"""How many deliveries one api-server takes at a time: of an account, and in all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from settlement.web.rate_limit import RetryLater
from settlement.web.settings import whole_number

SECONDS_TO_WAIT = 10


class UploadSlots:
    """Counts deliveries whose body is arriving; it is used from the server's one event loop only."""

    def __init__(self) -> None:
        self._by_account: Counter[str] = Counter()

    @contextmanager
    def take(self, account: str) -> Iterator[None]:
        """Hold a slot while the block runs.

        Raises:
            RetryLater: ``too_many_uploads`` of the account (``SETTLEMENT_UPLOADS_PER_ACCOUNT``, 4), ``uploads_busy``
                when all slots are taken (``SETTLEMENT_UPLOADS``, 16).
        """
        of_account = whole_number("SETTLEMENT_UPLOADS_PER_ACCOUNT", 4)
        if self._by_account[account] >= of_account:
            raise RetryLater(
                "too_many_uploads",
                f"{account} is delivering {of_account} batches already (该账号同时上传数已达上限)",
                "wait until one of them has ended (请待其中之一结束)",
                SECONDS_TO_WAIT,
            )
        if self._by_account.total() >= whole_number("SETTLEMENT_UPLOADS", 16):
            raise RetryLater(
                "uploads_busy",
                "as many batches as this server takes at a time are arriving (服务器同时上传数已达上限)",
                "send it again a little later (请稍后重试)",
                SECONDS_TO_WAIT,
            )
        self._by_account[account] += 1
        try:
            yield
        finally:
            self._by_account[account] -= 1
            self._by_account += Counter()  # forgets accounts that deliver nothing


SLOTS = UploadSlots()
