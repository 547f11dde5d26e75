"""The area of a delivered batch, known before anything of it is received."""

from settlement.contract.limits import Limits
from settlement.contract.manifest import parse_manifest
from settlement.errors import SettlementError
from settlement.intake.folders import MANIFEST, batch_folder, open_inside


def area_of(batch_id: str) -> str | None:
    """Give the area that the manifest in the inbox names; None where there is none or it cannot be read."""
    limits = Limits.from_environment()
    try:
        with open_inside(batch_folder(batch_id), MANIFEST) as source:
            content = source.read(limits.manifest_bytes + 1)
        return parse_manifest(content, batch_id, limits).area_code
    except SettlementError:
        return None
