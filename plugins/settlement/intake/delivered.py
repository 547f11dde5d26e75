"""What a delivered batch says of itself, known before anything of it is received."""

from settlement.contract.limits import Limits
from settlement.contract.manifest import Manifest, parse_manifest
from settlement.errors import SettlementError
from settlement.intake.folders import MANIFEST, batch_folder, open_inside


def delivered_manifest(batch_id: str) -> Manifest | None:
    """Give the manifest that lies in the inbox; None where there is none or it cannot be read."""
    limits = Limits.from_environment()
    try:
        with open_inside(batch_folder(batch_id), MANIFEST) as source:
            content = source.read(limits.manifest_bytes + 1)
        return parse_manifest(content, batch_id, limits)
    except SettlementError:
        return None
