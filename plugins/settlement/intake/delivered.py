"""What a delivered batch says of itself, known before anything of it is received."""

from datetime import UTC, datetime, timedelta

from settlement.contract.limits import Limits
from settlement.contract.manifest import Manifest, parse_manifest
from settlement.errors import SettlementError
from settlement.intake.folders import MANIFEST, batch_folder, can_be_opened, inbox, open_inside


def read_manifest(batch_id: str, limits: Limits) -> Manifest:
    """Read and check the manifest that lies in the inbox.

    Raises:
        SettlementError: ``manifest_invalid`` and the others of :func:`settlement.contract.parse_manifest`,
            ``batch_not_found``, ``file_not_plain``, ``file_unreadable``.
    """
    with open_inside(batch_folder(batch_id), MANIFEST) as source:
        content = source.read(limits.manifest_bytes + 1)
    if len(content) > limits.manifest_bytes:
        raise SettlementError(
            "manifest_invalid",
            f"manifest.json is larger than {limits.manifest_bytes} bytes (清单过大)",
            "split the batch (请拆分批次)",
        )
    return parse_manifest(content, batch_id, limits)


def check_clock(manifest: Manifest, now: datetime, limits: Limits) -> None:
    """Refuse a batch that says it was made after it came; how long before is its own matter.

    What is dated by `created_at` (reference rows in force, settlements not in the future) would follow any date.

    Raises:
        SettlementError: ``manifest_invalid``.
    """
    if manifest.created_at > now + timedelta(minutes=limits.minutes_ahead):
        raise SettlementError(
            "manifest_invalid",
            f"created_at {manifest.created_at.isoformat()} is later than the time of receiving,"
            f" {now.isoformat(timespec='seconds')} (生成时间晚于接收时间)",
            "set the clock of the sending system, write created_at as the time at which the batch was made, and send it"
            f" again; SETTLEMENT_LIMIT_MINUTES_AHEAD allows {limits.minutes_ahead} minutes (请校准发送系统时钟后重报)",
        )


def delivered_manifest(batch_id: str) -> Manifest | None:
    """Give the manifest that lies in the inbox; None where there is none or it cannot be read."""
    try:
        return read_manifest(batch_id, Limits.from_environment())
    except (SettlementError, OSError):
        return None


def created_at(batch_id: str) -> datetime:
    """The manifest's time stamp; a batch whose manifest cannot be read comes last."""
    manifest = delivered_manifest(batch_id)
    return manifest.created_at if manifest else datetime.max.replace(tzinfo=UTC)


def is_readable(batch_id: str) -> bool:
    """True when the manifest and every file that it names can be opened; what else is wrong with them is not asked."""
    folder = inbox() / batch_id
    if not can_be_opened(folder, MANIFEST):
        return False
    manifest = delivered_manifest(batch_id)
    return manifest is None or all(can_be_opened(folder, file.name) for file in manifest.files)
