"""A body must arrive: not slower than a least rate, and before a deadline. Who trickles is cut off.

Only waiting for the sender counts. A disk that is slow in taking the bytes is no fault of theirs.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import ClientDisconnect

from settlement.errors import SettlementError
from settlement.web.settings import whole_number


@dataclass(frozen=True)
class Pace:
    """`patience` (seconds) is how long a sender may fall behind `bytes_per_second`; `seconds` how long it may take."""

    bytes_per_second: int = 8 * 1024
    patience: float = 20.0
    seconds: float = 7200.0

    @classmethod
    def from_environment(cls) -> "Pace":
        """Read SETTLEMENT_UPLOAD_BYTES_PER_SECOND, SETTLEMENT_UPLOAD_PATIENCE and SETTLEMENT_UPLOAD_SECONDS.

        Raises:
            SettlementError: ``setting_invalid``.
        """
        return cls(
            bytes_per_second=whole_number("SETTLEMENT_UPLOAD_BYTES_PER_SECOND", cls.bytes_per_second),
            patience=whole_number("SETTLEMENT_UPLOAD_PATIENCE", int(cls.patience)),
            seconds=whole_number("SETTLEMENT_UPLOAD_SECONDS", int(cls.seconds)),
        )


async def paced(body: AsyncIterator[bytes], pace: Pace) -> AsyncIterator[bytes]:
    """Yield the body as it arrives. Each byte buys its share of a second, up to the patience; waiting spends it.

    Raises:
        SettlementError: ``upload_too_slow``; ``multipart_invalid`` when the sender hangs up.
    """
    credit = pace.patience
    deadline = time.monotonic() + pace.seconds
    while True:
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(credit, deadline - began))):
                chunk = await anext(body, None)
        except TimeoutError:
            raise SettlementError(
                "upload_too_slow",
                f"the body came slower than {pace.bytes_per_second} bytes a second, or not within {pace.seconds:.0f} s "
                "(上传过慢)",
                "nothing of it was kept: send it over a faster line, or split the batch "
                "(未保留任何内容, 请换线路或拆分批次)",
            ) from None
        except ClientDisconnect:
            raise SettlementError(
                "multipart_invalid", "the sender hung up before the body's end (上传中断)", "send it again (请重发)"
            ) from None
        if chunk is None:
            return
        credit = min(pace.patience, credit - (time.monotonic() - began) + len(chunk) / pace.bytes_per_second)
        yield chunk
